import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connectTestRedis, keysIn, until } from '#libs/testing';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { openStream } from '../events.fixture.js';
import { GatewayUnderTest, type TenantUnderTest } from '../gateway.fixture.js';
import { INITIALIZE, legacy, send } from '../requests.fixture.js';
import { listen, type Listening } from '../surroundings.fixture.js';

let upstream: Listening;
let gateway: GatewayUnderTest;
let replica: string;
let acme: TenantUnderTest;

beforeAll(async () => {
  upstream = await listen(({ url = '' }, response) => {
    // Six bytes each in JSON: an answer that is short enough to be shown, in a message that is not.
    if (url.includes('huge')) response.setHeader('content-type', 'text/plain').end('\u0001'.repeat(900_000));
    else response.setHeader('content-type', 'application/json').end(JSON.stringify({ text: 'x'.repeat(700_000) }));
  });
  gateway = await GatewayUnderTest.start();
  replica = await gateway.replica();
  acme = await gateway.tenant('acme', { find: `${upstream.origin}/find` });
  await gateway.allow(acme, upstream);
  await gateway.control.asTenant(acme.id, (tx) =>
    tx.query(`update servers set sse_transport = true where tenant_id = $1`, [acme.id]),
  );
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

const bearer = (key = acme.key) => ({ authorization: `Bearer ${key}` });
const sse = (url: string) => url.replace(/mcp$/, 'sse');

/** Opens a session's stream; returns it and where its messages go. */
async function open(url = acme.serverUrl) {
  const stream = await openStream(sse(url), { accept: 'text/event-stream', ...bearer() });
  const endpoint = await stream.next();
  return { stream, endpoint: String(endpoint?.data), event: endpoint?.event };
}

function post(origin: string, endpoint: string, message: object, key = acme.key) {
  return send(`${origin}${endpoint}`, {
    headers: { 'content-type': 'application/json', ...bearer(key) },
    body: JSON.stringify({ jsonrpc: '2.0', ...message }),
  });
}

describe('the HTTP+SSE transport of 2024-11-05', () => {
  test.each(['server', 'tenant'] as const)('serves the SDK’s client of it, on the URL of a %s', async (which) => {
    const [url, prefix] = which === 'server' ? [acme.serverUrl, ''] : [acme.url, 'orders__'];
    const client = new Client({ name: 'old', version: '1' });
    const transport = new SSEClientTransport(new URL(sse(url)), { requestInit: { headers: bearer() } });
    await client.connect(transport);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual([`${prefix}find`]);
    const answers = await Promise.all(
      ['a', 'b'].map((text) => client.callTool({ name: `${prefix}find`, arguments: { text } })),
    );
    for (const { content } of answers) expect(JSON.stringify(content).length).toBeGreaterThan(700_000);
    await expect(client.callTool({ name: 'none', arguments: {} })).rejects.toThrow(/-32602/);
    await client.close();
  });

  test('answers a request with an error where its answer is too large to be left for the stream', async () => {
    const { stream, endpoint } = await open();
    await post(replica, endpoint, INITIALIZE);
    await stream.next();
    const params = { name: 'find', arguments: { text: 'huge' } };
    await post(replica, endpoint, { id: 'big', method: 'tools/call', params });
    const answer = JSON.parse((await stream.next())?.data ?? '');
    expect(answer).toMatchObject({ id: 'big', error: { code: -32600 } });
    expect(answer.error.message).toContain('too large for the HTTP+SSE transport');
    await post(gateway.origin, endpoint, { id: 'two', method: 'ping' });
    expect(JSON.parse((await stream.next())?.data ?? '')).toMatchObject({ id: 'two', result: {} });
    stream.close();
  });

  test('takes messages at any gateway, and the session ends with its stream', async () => {
    const { stream, endpoint, event } = await open();
    expect([event, new URL(endpoint, gateway.origin).pathname]).toEqual(['endpoint', '/t/acme/orders/messages']);
    const accepted = await post(replica, endpoint, INITIALIZE);
    expect([accepted.status, accepted.text]).toEqual([202, 'Accepted']);
    expect(JSON.parse((await stream.next())?.data ?? '')).toMatchObject({ id: 1, result: { capabilities: {} } });
    await post(replica, endpoint, { method: 'notifications/initialized' });
    await post(gateway.origin, endpoint, { id: 'two', method: 'ping' });
    expect(JSON.parse((await stream.next())?.data ?? '')).toEqual({ jsonrpc: '2.0', id: 'two', result: {} });
    stream.close();
    const redis = await connectTestRedis(gateway.redis.redisUrl);
    await until(async () => (await keysIn(redis, `session:{${acme.id}}:*`)).length === 0, 'the session’s end');
    redis.disconnect();
    const status = await until(async () => {
      const answer = await post(gateway.origin, endpoint, { id: 3, method: 'ping' });
      return answer.status !== 202 && answer.status;
    }, 'a message that is not accepted');
    expect(status).toBe(404);
  });

  test('is closed to other principals, and does not exist for servers that have not switched it on', async () => {
    const { stream, endpoint } = await open();
    const other = await gateway.apiKey(acme.id, ['mcp']);
    const globex = await gateway.tenant('globex', { find: `${upstream.origin}/find` });
    const theirs = endpoint.replace('/t/acme/', '/t/globex/');
    expect((await post(gateway.origin, endpoint, INITIALIZE, other.text)).status).toBe(404);
    expect((await post(gateway.origin, theirs, INITIALIZE, globex.key)).status).toBe(404);
    const unknown = await send(`${gateway.origin}/t/acme/none/sse`, { method: 'GET', headers: bearer() });
    for (const url of [globex.serverUrl, globex.url]) {
      const off = await send(sse(url), {
        method: 'GET',
        headers: { accept: 'text/event-stream', ...bearer(globex.key) },
      });
      expect([off.status, off.text]).toEqual([unknown.status, unknown.text]);
    }
    stream.close();
  });

  test('refuses what is wrong as the other transport does', async () => {
    const { stream, endpoint } = await open();
    const bare = endpoint.replace(/\?.*/, '');
    expect((await post(gateway.origin, bare, INITIALIZE)).status).toBe(400);
    expect((await post(gateway.origin, `${bare}?sessionId=x`, INITIALIZE)).status).toBe(404);
    expect((await send(sse(acme.serverUrl), { headers: bearer() })).status).toBe(405);
    const unknown = await send(sse(acme.serverUrl), { method: 'GET' });
    const metadataUrl = `${gateway.origin}/.well-known/oauth-protected-resource/t/acme/orders/sse`;
    expect(unknown.status).toBe(401);
    expect(unknown.headers['www-authenticate']).toContain(`resource_metadata="${metadataUrl}"`);
    const metadata = await send(metadataUrl, { method: 'GET' });
    expect(metadata.json).toMatchObject({ resource: sse(acme.serverUrl), authorization_servers: [gateway.issuer] });
    for (const [audience, status] of [
      [sse(acme.serverUrl), 405],
      [acme.serverUrl, 405],
      [sse(acme.url), 401],
    ] as const) {
      const authorization = `Bearer ${await gateway.token(acme, audience)}`;
      expect((await send(sse(acme.serverUrl), { headers: { authorization } })).status).toBe(status);
    }
    const other = await send(acme.serverUrl, {
      headers: {
        ...legacy(INITIALIZE).headers,
        authorization: `Bearer ${await gateway.token(acme, sse(acme.serverUrl))}`,
      },
      body: legacy(INITIALIZE).body,
    });
    expect(other.status).toBe(401);
    const batch = await send(`${gateway.origin}${endpoint}`, {
      headers: { 'content-type': 'application/json', ...bearer() },
      body: '[{"jsonrpc":"2.0","id":1,"method":"ping"}]',
    });
    expect([batch.status, batch.json.error.code]).toEqual([400, -32600]);
    stream.close();
  });

  test('is switched off by operators for a tenant or for all, at every replica', async () => {
    const globex = await gateway.tenant('kept', { find: `${upstream.origin}/find` });
    const change = (sql: string, values: unknown[]): Promise<unknown> =>
      gateway.operators.asService(async (tx) => {
        await tx.query(`select set_config('app.tenant_id', $1, true)`, [globex.id]);
        return tx.query(sql, values);
      });
    const decided = `insert into tenant_feature_flags (tenant_id, flag, decided_by, enabled, reason)
      values ($1, 'sse_transport', 'operator', true, 'still needs it')`;
    await gateway.control.asTenant(globex.id, (tx) =>
      tx.query(`update servers set sse_transport = true where tenant_id = $1`, [globex.id]),
    );
    await change(decided, [globex.id]);
    await change(`insert into feature_flags (flag, percent) values ('sse_transport', 0)`, []);
    const statusAt = async (url: string, key: string): Promise<number> => {
      const stream = await openStream(sse(url), { accept: 'text/event-stream', ...bearer(key) });
      stream.close();
      return stream.response.statusCode ?? 0;
    };
    const replicated = acme.serverUrl.replace(gateway.origin, replica);
    for (const url of [acme.serverUrl, replicated])
      await until(async () => (await statusAt(url, acme.key)) === 404, url);
    expect(await statusAt(globex.serverUrl, globex.key)).toBe(200);
    await change(`update feature_flags set percent = 100`, []);
    for (const url of [acme.serverUrl, replicated])
      await until(async () => (await statusAt(url, acme.key)) === 200, url);
  });
});
