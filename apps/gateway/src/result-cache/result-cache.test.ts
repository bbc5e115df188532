import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { until } from '#libs/testing';
import { GatewayUnderTest, type TenantUnderTest } from '../gateway.fixture.js';
import { modern, send } from '../requests.fixture.js';
import type { PlacedCall } from '../sessions/place.js';
import { ResultCache } from './result-cache.js';

let gateway: GatewayUnderTest;
let acme: TenantUnderTest;

beforeAll(async () => {
  gateway = await GatewayUnderTest.start();
  acme = await gateway.tenant('acme', { find: 'https://api.example.com/find' }, 'scale');
});

afterAll(() => gateway.stop());

async function list(tenant: TenantUnderTest, id: string | number, key = tenant.key) {
  const { headers, body } = modern('tools/list', {}, id);
  const answer = await send(tenant.serverUrl, { headers: { ...headers, authorization: `Bearer ${key}` }, body });
  const { result } = answer.json;
  return { id: answer.json.id, ttlMs: result.ttlMs, scope: result.cacheScope, names: result.tools.map(nameOf) };
}

type Listed = Awaited<ReturnType<typeof list>>;

/** The list as soon as it is as wanted. */
function listOnce(wanted: (listed: Listed) => boolean, ...asked: Parameters<typeof list>): Promise<Listed> {
  return until(async () => {
    const listed = await list(...asked);
    return wanted(listed) && listed;
  }, 'the list that is wanted');
}

function nameOf({ name }: { name: string }): string {
  return name;
}

test('a list is given from before, with its own id and what is left of its time, until a release goes live', async () => {
  expect(await list(acme, 1)).toEqual({ id: 1, ttlMs: 60_000, scope: 'private', names: ['find'] });
  const again = await listOnce(({ ttlMs }) => ttlMs !== 60_000, acme, 'second');
  expect(again).toEqual({ id: 'second', ttlMs: expect.any(Number), scope: 'private', names: ['find'] });
  expect(again.ttlMs).toBeLessThan(60_000);
  await gateway.publish(acme.id, 'orders', { seek: 'https://api.example.com/seek' });
  expect((await listOnce(({ names }) => names[0] !== 'find', acme, 3)).names).toEqual(['seek']);
});

test('M-23: lists are private to a principal until their tenant opens them, and then the same for each', async () => {
  const tenant = await gateway.tenant('opener', { find: 'https://api.example.com/find' }, 'scale');
  const other = await gateway.apiKey(tenant.id, ['mcp']);
  expect((await list(tenant, 1)).ttlMs).toBe(60_000);
  expect((await list(tenant, 1, other.text)).ttlMs).toBe(60_000);
  await gateway.control.asTenant(tenant.id, (tx) =>
    tx.query(`update servers set public_lists = true where tenant_id = $1`, [tenant.id]),
  );
  await listOnce(({ scope }) => scope !== 'private', tenant, 1);
  const shared = await listOnce(({ ttlMs }) => ttlMs !== 60_000, tenant, 1, other.text);
  expect(shared).toEqual({ id: 1, ttlMs: expect.any(Number), scope: 'public', names: ['find'] });
});

test('nothing is given from before to a tenant without the feature, and lists are private to their principal still', async () => {
  const tenant = await gateway.tenant('fresh', { find: 'https://api.example.com/find' }, 'scale');
  await list(tenant, 1);
  await gateway.control.asTenant(tenant.id, (tx) =>
    tx.query(
      `insert into tenant_feature_flags (tenant_id, flag, decided_by, enabled) values ($1, 'result_cache', 'tenant', false)`,
      [tenant.id],
    ),
  );
  await listOnce(({ ttlMs }) => ttlMs === 60_000, tenant, 2);
  expect(await list(tenant, 3)).toEqual({ id: 3, ttlMs: 60_000, scope: 'private', names: ['find'] });
});

/** What the cache looks at of a call. */
function callOf(
  tenantId: string,
  changes: { principal?: string; scopes?: string[]; release?: string; opened?: boolean; server?: string } = {},
) {
  const { server = 's' } = changes;
  const params = { uri: 'x://1', _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } };
  return {
    tenant: {
      tenantId,
      flags: { result_cache: true },
      servers: [{ slug: server, publicLists: changes.opened === true }],
    },
    route: { key: `${changes.release ?? 'r1'} ${server}`, mounts: [{ serverSlug: server }] },
    principal: { scopes: changes.scopes ?? ['mcp'] },
    principalBinding: changes.principal ?? 'p',
    exchange: {
      era: 'modern',
      head: { kind: 'request', id: 9, method: 'resources/read' },
      payload: Buffer.from(JSON.stringify({ params })),
    },
  } as unknown as PlacedCall;
}

function result(members: object): Buffer {
  return Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, result: { resultType: 'complete', ...members } }));
}

test('what is kept is found with the same tenant, release, scopes and principal alone', () => {
  const cache = new ResultCache();
  cache.ask(callOf('a'))?.keep(result({ text: 'CANARY-A', ttlMs: 10_000, cacheScope: 'private' }));
  expect(cache.ask(callOf('a'))?.answer?.toString()).toContain('CANARY-A');
  for (const other of [
    callOf('b'),
    callOf('a', { principal: 'q' }),
    callOf('a', { scopes: ['s:read'] }),
    callOf('a', { release: 'r2' }),
  ])
    expect(cache.ask(other)?.answer).toBeUndefined();
  expect(cache.ask(callOf('a'), Date.now() + 10_001)?.answer).toBeUndefined();
  cache.forget('a');
  expect(cache.ask(callOf('a'))?.answer).toBeUndefined();
});

test('M-23: a result that calls itself public is private where its tenant has not opened its lists', () => {
  const cache = new ResultCache();
  const said = result({ ttlMs: 10_000, cacheScope: 'public' });
  const shown = cache.ask(callOf('a'))?.keep(said);
  expect(JSON.parse(String(shown)).result).toEqual({ resultType: 'complete', ttlMs: 10_000, cacheScope: 'private' });
  expect(cache.ask(callOf('a', { principal: 'q' }))?.answer).toBeUndefined();
  expect(cache.ask(callOf('b', { opened: true }))?.keep(said)).toBe(said);
  expect(cache.ask(callOf('b', { opened: true, principal: 'q' }))?.answer).toBeDefined();
});

test('what a worker calls its caller’s own is nobody else’s, whatever its tenant has opened', () => {
  const cache = new ResultCache();
  const said = result({ ttlMs: 10_000, cacheScope: 'public' });
  const shown = cache.ask(callOf('a', { opened: true }))?.keep(said, 'own');
  expect(JSON.parse(String(shown)).result).toMatchObject({ cacheScope: 'private' });
  expect(cache.ask(callOf('a', { opened: true, principal: 'q' }))?.answer).toBeUndefined();
  expect(cache.ask(callOf('a', { opened: true }))?.answer).toBeDefined();
});

test('a server that says that its lists have changed is asked again, and no other of its tenant or of another', () => {
  const cache = new ResultCache();
  const kept = result({ ttlMs: 10_000, cacheScope: 'private' });
  const calls = [callOf('a'), callOf('a', { server: 'other' }), callOf('b')];
  for (const call of calls) cache.ask(call)?.keep(kept);
  cache.forget('a', ['s']);
  expect(calls.map((call) => cache.ask(call)?.answer !== undefined)).toEqual([false, true, true]);
  cache.forget('*');
  expect(calls.map((call) => cache.ask(call)?.answer)).toEqual([undefined, undefined, undefined]);
});

test('an answer that was on its way while something changed is passed on and not kept', () => {
  const cache = new ResultCache();
  const asked = cache.ask(callOf('a'));
  cache.forget('a');
  asked?.keep(result({ text: 'old', ttlMs: 10_000, cacheScope: 'private' }));
  expect(cache.ask(callOf('a'))?.answer).toBeUndefined();
});

test.each([
  ['says nothing of it', { text: 'x' }],
  ['may not be kept', { ttlMs: 0, cacheScope: 'private' }],
  ['asks for more', { resultType: 'input_required', ttlMs: 10_000, cacheScope: 'private' }],
  ['says it wrongly', { ttlMs: '10000', cacheScope: 'private' }],
])('a result that %s is passed on as it is and not kept', (_, members) => {
  const cache = new ResultCache();
  const message = result(members);
  expect(cache.ask(callOf('a'))?.keep(message)).toBe(message);
  expect(cache.ask(callOf('a'))?.answer).toBeUndefined();
});

test('is bounded: a tenant that keeps much pushes out its own', () => {
  const cache = new ResultCache({ result: 4_000, tenant: 8_000, total: 100_000 });
  const big = (text: string) => result({ text: text.repeat(1_500), ttlMs: 10_000, cacheScope: 'private' });
  cache.ask(callOf('b'))?.keep(big('b'));
  for (const principal of ['1', '2', '3']) cache.ask(callOf('a', { principal }))?.keep(big('a'));
  expect(cache.ask(callOf('a', { principal: '1' }))?.answer).toBeUndefined();
  expect(cache.ask(callOf('a', { principal: '3' }))?.answer).toBeDefined();
  expect(cache.ask(callOf('b'))?.answer).toBeDefined();
  cache.ask(callOf('b', { principal: '2' }))?.keep(big('huge'));
  expect(cache.ask(callOf('b', { principal: '2' }))?.answer).toBeUndefined();
});
