import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '#libs/database';
import { until } from '#libs/testing';
import { GatewayUnderTest, type TenantUnderTest } from '../gateway.fixture.js';
import { INITIALIZE, legacy, modern, send, type Answer } from '../requests.fixture.js';

let gateway: GatewayUnderTest;
let acme: TenantUnderTest;
const LIST = modern('tools/list');

beforeAll(async () => {
  gateway = await GatewayUnderTest.start();
  acme = await gateway.tenant('acme', { old: 'https://api.example.com/old' });
  await version('1.4.0');
  await gateway.publish(acme.id, 'orders', { fresh: 'https://api.example.com/fresh' });
  await version('2.0.0');
  await keep(`now() + interval '1 day'`);
});
afterAll(() => gateway.stop());

const tenantSql = (sql: string, values: unknown[] = []): Promise<unknown> =>
  gateway.control.asTenant(acme.id, (tx) => tx.query(sql, values));

/** Gives the live release a version. */
function version(text: string): Promise<unknown> {
  return tenantSql(`update releases set version = $1 where id = (select live_release_id from servers)`, [text]);
}

/** Keeps major version 1 until a time in SQL. */
function keep(until: string): Promise<unknown> {
  return tenantSql(`insert into server_majors (tenant_id, server_id, major, release_id, deprecated_at, served_until)
    select tenant_id, server_id, major, id, to_timestamp(1700000000), ${until} from releases where major = 1
    on conflict (tenant_id, server_id, major) do update set served_until = excluded.served_until`);
}

const at = (part: string): string => acme.serverUrl.replace('/orders/', `/${part}/`);
const call = (url: string, credential: Record<string, string> = { 'x-api-key': acme.key }): Promise<Answer> =>
  send(url, { headers: { ...LIST.headers, ...credential }, body: LIST.body });
const toolsOf = ({ json }: Answer): string[] => json.result.tools.map((tool: { name: string }) => tool.name);

test('each major version answers at its own URL, and the older one says until when', async () => {
  const [plain, live, older] = await Promise.all([call(at('orders')), call(at('orders@2')), call(at('orders@1'))]);
  expect([plain, live, older].map(toolsOf)).toEqual([['fresh'], ['fresh'], ['old']]);
  expect([plain.headers['deprecation'], live.headers['sunset']]).toEqual([undefined, undefined]);
  expect(older.headers['deprecation']).toBe('@1700000000');
  expect(Date.parse(older.headers['sunset'] as string)).toBeGreaterThan(Date.now());
  expect(older.headers['link']).toBe(`<${acme.serverUrl}>; rel="successor-version"`);
});

test.each(['orders@3', 'orders@01', 'orders@', 'orders@-1', 'orders@1.4', 'orders@123456', 'none@1', '@1'])(
  '%s is not there',
  async (part) => {
    expect((await call(at(part))).status).toBe(404);
  },
);

test('a major version is a resource of its own, with its metadata and its page', async () => {
  const url = at('orders@1');
  const bearer = async (audience: string) => ({ authorization: `Bearer ${await gateway.token(acme, audience)}` });
  expect((await call(url, await bearer(url))).status).toBe(200);
  expect((await call(url, await bearer(acme.serverUrl))).status).toBe(401);
  expect((await call(acme.serverUrl, await bearer(url))).status).toBe(401);
  const where = (await call(url, {})).headers['www-authenticate'] ?? '';
  const metadata = `${gateway.origin}/.well-known/oauth-protected-resource/t/acme/orders@1/mcp`;
  expect(where).toContain(`resource_metadata="${metadata}"`);
  expect((await send(metadata, { method: 'GET' })).json).toMatchObject({
    resource: url,
    resource_name: 'Tenant acme: orders 1',
  });
  const page = await send(url, { method: 'GET', headers: { accept: 'text/html', 'sec-fetch-mode': 'navigate' } });
  expect([page.status, page.text.includes(url)]).toEqual([200, true]);
});

/** Rolls the release that is live out beside the one before it, for every caller. */
async function rollOut(): Promise<void> {
  await tenantSql(
    `insert into rollouts (tenant_id, id, server_id, stable_release_id, candidate_release_id, strategy, steps,
       drain_seconds, tools, read_only_tools, state, percent, created_by)
     select tenant_id, $1, server_id, id, (select live_release_id from servers), 'canary', '[]', 0, '{}', '{}', 'running',
       100, '{}' from releases where version = '2.0.0'`,
    [newId()],
  );
  await tenantSql(`update servers set live_release_id = (select id from releases where version = '2.0.0')`);
}

/** The tools at a URL as soon as they are these. */
function shows(part: string, ...tools: string[]): Promise<string[]> {
  return until(async () => {
    const seen = toolsOf(await call(at(part)));
    return seen.join() === tools.join() && seen;
  }, `${part} shows ${tools.join()}`);
}

async function openSession(part: string): Promise<string> {
  const { headers, body } = legacy(INITIALIZE);
  const answer = await send(at(part), { headers: { ...headers, 'x-api-key': acme.key }, body });
  return String(answer.headers['mcp-session-id']);
}

async function statusIn(
  part: string,
  sessionId: string,
  message: object = { id: 2, method: 'tools/list' },
): Promise<number> {
  const { headers, body } = legacy({ ...message }, sessionId);
  return (await send(at(part), { headers: { ...headers, 'x-api-key': acme.key }, body })).status;
}

test('a rollout concerns the URLs that its candidate’s major version is served at, and no other', async () => {
  await gateway.publish(acme.id, 'orders', { next: 'https://api.example.com/next' });
  await version('3.0.0');
  await rollOut();
  expect(await shows('orders', 'next')).toEqual(['next']);
  expect(toolsOf(await call(at('orders@2')))).toEqual(['fresh']);
  expect(toolsOf(await call(at('orders@1')))).toEqual(['old']);
  expect((await call(at('orders@3'))).status).toBe(404);
  await tenantSql(`update releases set version = '2.1.0' where version = '3.0.0'`);
  await tenantSql(`update rollouts set step = 1`);
  expect(await shows('orders@2', 'next')).toEqual(['next']);
});

test('a call that the candidate’s tools do not let in counts against it', async () => {
  await tenantSql(`update releases set tools = '{"next": "write"}' where version = '2.1.0'`);
  const { headers, body } = modern('tools/call', { name: 'next', arguments: {} });
  const answer = await send(at('orders'), { headers: { ...headers, 'x-api-key': acme.key }, body });
  expect(answer.status).toBe(403);
  const counted = await until(async () => {
    const [sample] = (await tenantSql(`select errors from rollout_samples`)) as unknown[];
    return sample;
  }, 'the sample');
  expect(counted).toEqual({ errors: 1 });
});

test('sessions of a release that is taken away end, and those at a URL that still serves it go on', async () => {
  const [onCandidate, onStable, onOlder] = [
    await openSession('orders'),
    await openSession('orders@2'),
    await openSession('orders@1'),
  ];
  await tenantSql(`update releases set withdrawn_at = now() where version <> '2.0.0'`);
  await tenantSql(`update rollouts set state = 'rolled_back', percent = 0`);
  expect(await shows('orders', 'fresh')).toEqual(['fresh']);
  expect(await statusIn('orders', onCandidate, { method: 'notifications/initialized' })).toBe(202);
  const statuses = [await statusIn('orders', onCandidate), await statusIn('orders@1', onOlder)];
  expect([...statuses, await statusIn('orders@2', onStable)]).toEqual([404, 200, 404]);
});

test('a major version whose time is over is gone, also for the gateway that had served it', async () => {
  await keep(`now() + interval '600 milliseconds'`);
  const gone = await until(async () => {
    const answer = await call(at('orders@1'));
    return answer.status !== 200 && answer;
  }, 'the end of the major version');
  expect(gone.status).toBe(404);
  const metadata = `${gateway.origin}/.well-known/oauth-protected-resource/t/acme/orders@1/mcp`;
  expect((await send(metadata, { method: 'GET' })).status).toBe(404);
  expect((await call(at('orders'))).status).toBe(200);
});
