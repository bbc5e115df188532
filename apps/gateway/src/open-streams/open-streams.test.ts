import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openStream, type OpenStream } from '../events.fixture.js';
import { GatewayUnderTest, type TenantUnderTest } from '../gateway.fixture.js';
import { modern } from '../requests.fixture.js';

let gateway: GatewayUnderTest;
let replica: string;
let acme: TenantUnderTest;

beforeAll(async () => {
  gateway = await GatewayUnderTest.start();
  replica = await gateway.replica();
  acme = await gateway.tenant('acme', { find: 'https://api.example.com/find' });
});

afterAll(() => gateway.stop());

function listen(
  origin: string,
  id: string,
  notifications: Record<string, unknown>,
  key = acme.key,
): Promise<OpenStream> {
  const { headers, body } = modern('subscriptions/listen', { notifications }, id);
  const url = acme.serverUrl.replace(gateway.origin, origin);
  return openStream(url, { ...headers, authorization: `Bearer ${key}` }, body);
}

async function next(stream: OpenStream) {
  const event = await stream.next();
  return event === undefined ? undefined : JSON.parse(event.data);
}

const META = (id: string) => ({ 'io.modelcontextprotocol/subscriptionId': id });

test('a listener whose key is revoked reads that access has ended and to sign in again', async () => {
  const key = await gateway.apiKey(acme.id, ['mcp']);
  const stream = await listen(replica, 'ended', { toolsListChanged: true }, key.text);
  expect(await next(stream)).toMatchObject({ method: 'notifications/subscriptions/acknowledged' });
  await gateway.control.asTenant(acme.id, (tx) =>
    tx.query(`update api_keys set revoked_at = now() where tenant_id = $1 and id = $2`, [acme.id, key.id]),
  );
  expect(await next(stream)).toEqual({
    jsonrpc: '2.0',
    id: 'ended',
    error: expect.objectContaining({ code: -31001, message: expect.stringContaining('Sign in again') }),
  });
  expect(await next(stream)).toBeUndefined();
});

test('listeners of the 2026 era at every gateway hear that another release serves their URL, each what it asked for', async () => {
  const [here, there, deaf] = await Promise.all([
    listen(gateway.origin, 'here', { toolsListChanged: true }),
    listen(replica, 'there', { toolsListChanged: true, promptsListChanged: true }),
    listen(replica, 'deaf', { promptsListChanged: true }),
  ]);
  for (const [stream, id, notifications] of [
    [here, 'here', { toolsListChanged: true }],
    [there, 'there', { toolsListChanged: true }],
    [deaf, 'deaf', {}],
  ] as const) {
    expect(await next(stream)).toMatchObject({
      method: 'notifications/subscriptions/acknowledged',
      params: { _meta: META(id), notifications },
    });
  }
  for (const tools of ['seek', 'search']) {
    await gateway.publish(acme.id, 'orders', { [tools]: 'https://api.example.com/x' });
    const told = [await next(here), await next(there)];
    expect(told).toEqual(
      ['here', 'there'].map((id) => ({
        jsonrpc: '2.0',
        method: 'notifications/tools/list_changed',
        params: { _meta: META(id) },
      })),
    );
  }
  await gateway.control.asTenant(acme.id, async (tx) => {
    await tx.query(`update servers set live_release_id = null where tenant_id = $1`, [acme.id]);
    await tx.query(`delete from releases where tenant_id = $1`, [acme.id]);
    await tx.query(`delete from servers where tenant_id = $1`, [acme.id]);
  });
  for (const [stream, id] of [
    [here, 'here'],
    [deaf, 'deaf'],
  ] as const) {
    expect(await next(stream)).toEqual({ jsonrpc: '2.0', id, result: { resultType: 'complete', _meta: META(id) } });
    expect(await next(stream)).toBeUndefined();
  }
  there.close();
});
