import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';

let api: ControlPlane;
let tenant: TestTenant;

beforeAll(async () => {
  api = await startControlPlane();
  tenant = await api.newTenant();
});

afterAll(() => api.stop());

const create = (body: unknown) => api.send('POST', '/v1/api-keys', { key: tenant.key, body });

test('a key’s text is shown once and stored nowhere', async () => {
  const created = await create({ name: 'once', scopes: ['mcp'] });
  const list = await api.send('GET', '/v1/api-keys', { key: tenant.key });
  expect(list.body.api_keys[0]).toMatchObject({ id: created.body.id, name: 'once', prefix: created.body.prefix });
  expect(list.text).not.toContain(created.body.text);
  const stored = await api.control.asTenant(tenant.id, (tx) =>
    tx.query(
      `select (select jsonb_agg(k) from api_keys k)::text || (select jsonb_agg(a) from audit_records a)::text as all`,
    ),
  );
  expect(JSON.stringify(stored)).not.toContain(created.body.text);
});

test('a revoked key is refused at once, and revoking it again changes nothing', async () => {
  const { id, text } = (await create({ name: 'gone', scopes: ['management'] })).body;
  expect((await api.send('GET', '/v1/tenant', { key: text })).status).toBe(200);
  for (let times = 0; times < 2; times += 1) {
    expect((await api.send('DELETE', `/v1/api-keys/${id}`, { key: tenant.key })).status).toBe(204);
  }
  expect((await api.send('GET', '/v1/tenant', { key: text })).status).toBe(401);
  const audit = await api.send('GET', `/v1/audit?event=api_key.revoked&target=api_key:${id}`, { key: tenant.key });
  expect(audit.body.records).toHaveLength(1);
});

test('a rotated key and its successor are good for the overlap, and then the successor alone', async () => {
  const expires = new Date(Date.now() + 86_400_000).toISOString();
  const before = (await create({ name: 'turning', scopes: ['management'], expires_at: expires })).body;
  const rotate = (overlap: number) =>
    api.send('POST', `/v1/api-keys/${before.id}/rotation`, { key: tenant.key, body: { overlap_seconds: overlap } });
  const use = async (key: string) => (await api.send('GET', '/v1/tenant', { key })).status;
  const next = (await rotate(600)).body;
  expect(next).toMatchObject({ name: 'turning', scopes: ['management'], expires_at: expires });
  expect([await use(before.text), await use(next.text)]).toEqual([200, 200]);
  const { api_keys: listed } = (await api.send('GET', '/v1/api-keys?state=usable', { key: tenant.key })).body;
  const ends = Date.parse(listed.find(({ id }: { id: string }) => id === before.id).expires_at) - Date.now();
  expect(ends).toBeLessThanOrEqual(600_000);
  expect((await rotate(60)).body.code).toBe('conflict');
  await api.control.asTenant(tenant.id, (tx) =>
    tx.query(`update api_keys set expires_at = now() where id = $1`, [before.id]),
  );
  expect([await use(before.text), await use(next.text)]).toEqual([401, 200]);
});

test('a key’s last use is shown, and lists are by state and page', async () => {
  const own = await api.newTenant();
  for (let more = 0; more < 3; more += 1) {
    await api.send('POST', '/v1/api-keys', { key: own.key, body: { name: 'k', scopes: ['mcp'] } });
  }
  const first = (await api.send('GET', '/v1/api-keys?limit=3', { key: own.key })).body;
  const second = (await api.send('GET', `/v1/api-keys?limit=3&cursor=${first.next_cursor}`, { key: own.key })).body;
  expect([first.api_keys.length, second.api_keys.length, second.next_cursor]).toEqual([3, 1, null]);
  expect([first.api_keys[0].last_used_at, typeof second.api_keys[0].last_used_at]).toEqual([null, 'string']);
  expect((await api.send('GET', '/v1/api-keys?state=revoked', { key: own.key })).body.api_keys).toEqual([]);
});

test('a key can be for parts of servers that exist', async () => {
  await api.send('POST', '/v1/servers', { key: tenant.key, body: { slug: 'orders', name: 'Orders' } });
  await api.send('PATCH', '/v1/servers/orders', { key: tenant.key, body: { tool_groups: { refunds: ['refund'] } } });
  const scopes = ['orders:read', 'orders:write', 'orders:refunds', 'mcp:read'];
  const made = await create({ name: 'parts', scopes });
  expect([made.status, made.body.scopes]).toEqual([201, scopes]);
  for (const unknown of ['billing:read', 'orders:gifts', 'mcp:write']) {
    const answer = await create({ name: 'parts', scopes: ['orders:read', unknown] });
    expect([answer.status, answer.body.code]).toEqual([422, 'unprocessable']);
    expect(answer.body.detail).toContain(unknown);
  }
});

test.each([
  ['a scope that does not exist', { name: 'k', scopes: ['admin'] }],
  ['no scope', { name: 'k', scopes: [] }],
  ['a scope twice', { name: 'k', scopes: ['mcp', 'mcp'] }],
  ['an end in the past', { name: 'k', scopes: ['mcp'], expires_at: '2020-01-01T00:00:00Z' }],
  ['no name', { scopes: ['mcp'] }],
])('refuses %s', async (_, body) => {
  expect((await create(body)).status).toBe(400);
});

test('a tenant has at most a hundred usable keys, however many are asked for at once', async () => {
  const crowd = await api.newTenant();
  const one = () => api.send('POST', '/v1/api-keys', { key: crowd.key, body: { name: 'k', scopes: ['mcp'] } });
  const statuses = [];
  for (let round = 0; round < 11; round += 1) {
    statuses.push(...(await Promise.all(Array.from({ length: 10 }, one))).map((answer) => answer.status));
  }
  expect(statuses.filter((status) => status === 201)).toHaveLength(99);
  expect(statuses.filter((status) => status === 409)).toHaveLength(11);
});

test('a tenant with as many keys as it may have rotates them all, within a bound', async () => {
  const full = await api.newTenant();
  const make = () => api.send('POST', '/v1/api-keys', { key: full.key, body: { name: 'k', scopes: ['mcp'] } });
  const ids: string[] = [];
  for (let more = 1; more < 100; more += 1) ids.push((await make()).body.id);
  const rotate = (id: string | undefined, overlap?: number) =>
    api.send('POST', `/v1/api-keys/${id}/rotation`, {
      key: full.key,
      ...(overlap === undefined ? {} : { body: { overlap_seconds: overlap } }),
    });
  const usable = async () =>
    (await api.send('GET', '/v1/api-keys?state=usable', { key: full.key })).body.api_keys.length;
  expect((await rotate(ids[0], 0)).status).toBe(201);
  expect(await usable()).toBe(100);
  const successors: string[] = [];
  for (const id of ids.slice(1)) {
    const { status, body } = await rotate(id);
    expect(status).toBe(201);
    successors.push(body.id);
  }
  expect((await make()).body).toMatchObject({ code: 'conflict', detail: expect.stringContaining('at most 100') });
  // A successor's own overlap counts too, so that rotating on and on does not make keys without end.
  const beyond = [await rotate(successors[0]), await rotate(successors[1]), await rotate(successors[2])];
  expect(beyond.map(({ status }) => status)).toEqual([201, 201, 409]);
  expect(beyond[2]?.body.detail).toContain('`overlap_seconds` 0');
  expect((await rotate(successors[2], 0)).status).toBe(201);
  expect(await usable()).toBe(200);
});
