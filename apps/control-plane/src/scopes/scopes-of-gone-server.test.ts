import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Client } from 'pg';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';

let api: ControlPlane;
let owner: Client;
let tenant: TestTenant;

beforeAll(async () => {
  api = await startControlPlane();
  owner = await api.connectOwner();
});
afterAll(() => api?.stop());
beforeEach(async () => {
  tenant = await api.newTenant();
  for (const slug of ['brief', 'brief-eu']) await newServer(slug);
});

const send = (method: string, path: string, body?: unknown) =>
  api.send(method, path, { key: tenant.key, ...(body === undefined ? {} : { body }) });
const newServer = (slug: string) => send('POST', '/v1/servers', { slug, name: slug });
const newKey = async (...scopes: string[]): Promise<string> =>
  (await send('POST', '/v1/api-keys', { name: 'k', scopes })).body.id;
const newClient = async (...scopes: string[]): Promise<string> =>
  (await send('POST', '/v1/clients', { kind: 'machine', name: 'robot', scopes })).body.client.client_id;

async function keyOf(id: string) {
  const { api_keys: keys } = (await send('GET', '/v1/api-keys')).body;
  const key = keys.find((shown: { id: string }) => shown.id === id);
  return { scopes: key.scopes, revoked: key.revoked_at !== null };
}

test('a key does not open another server of the name: it has lost the scopes, and is revoked where it had no other', async () => {
  const wide = await newKey('brief-eu:read', 'brief:read', 'mcp:read', 'brief:write');
  const narrow = await newKey('brief:read');
  const none = await newKey('mcp', 'management');
  const ended = await newKey('brief:read', 'mcp');
  await send('DELETE', `/v1/api-keys/${ended}`);
  const { id: server } = (await send('GET', '/v1/servers/brief')).body;
  expect((await send('DELETE', '/v1/servers/brief')).status).toBe(204);
  await newServer('brief');
  expect(await keyOf(wide)).toEqual({ scopes: ['brief-eu:read', 'mcp:read'], revoked: false });
  expect(await keyOf(narrow)).toEqual({ scopes: ['brief:read'], revoked: true });
  expect(await keyOf(none)).toEqual({ scopes: ['mcp', 'management'], revoked: false });
  expect(await keyOf(ended)).toEqual({ scopes: ['brief:read', 'mcp'], revoked: true });
  const events = async (query: string) => (await send('GET', `/v1/audit?${query}`)).body.records;
  expect((await events(`target=server:${server}&event=server.deleted`))[0].details).toMatchObject({
    api_keys_narrowed: 1,
    api_keys_revoked: 1,
    clients_narrowed: 0,
    clients_disabled: 0,
    grants_ended: 0,
  });
  expect((await events(`target=api_key:${wide}`))[0]).toMatchObject({
    event: 'api_key.narrowed',
    details: { scopes: ['brief-eu:read', 'mcp:read'], server: 'brief' },
  });
  expect((await events(`target=api_key:${narrow}`))[0].details).toEqual({ reason: 'server_deleted' });
});

test('a machine client loses the scopes, and is disabled where it had no other', async () => {
  const [wide, narrow] = [await newClient('brief:read', 'mcp:read'), await newClient('brief:write', 'brief:read')];
  await send('DELETE', '/v1/servers/brief');
  await newServer('brief');
  const shown = async (id: string) => (await send('GET', `/v1/clients/${id}`)).body;
  expect(await shown(wide)).toMatchObject({ scopes: ['mcp:read'], enabled: true });
  expect(await shown(narrow)).toMatchObject({ scopes: [], enabled: false });
  expect((await send('PATCH', `/v1/clients/${narrow}`, { enabled: true })).status).toBe(400);
  expect((await send('PATCH', `/v1/clients/${narrow}`, { enabled: true, scopes: ['brief:read'] })).status).toBe(200);
});

test('what agents hold at its URLs, or by its scopes, ends with it', async () => {
  const here = `http://localhost:4000/t/${tenant.slug}`;
  const held = [
    [`${here}/brief/mcp`, 'mcp:read', true],
    [`${here}/brief@2/mcp`, 'mcp', true],
    [`${here}/brief/sse`, 'mcp', true],
    [`${here}/mcp`, 'mcp:read brief:write', true],
    [`${here}/mcp`, 'mcp:read brief-eu:write', false],
    [`${here}/brief-eu/mcp`, 'brief-eu:read', false],
    [`${here}/brief~staging/mcp`, 'brief~staging:read', false],
    [`http://localhost:4000/v1/tenants/${tenant.slug}`, 'management', false],
  ] as const;
  for (const [at, [resource, scope]] of held.entries()) {
    await owner.query(
      `insert into grants (tenant_id, id, account_id, client_id, resource, scope, expires_at)
       values ($1, lpad($2, 64, '0'), $3, 'c', $4, $5, now() + interval '1 hour')`,
      [tenant.id, String(at), tenant.ownerId, resource, scope],
    );
  }
  await send('DELETE', '/v1/servers/brief');
  const { rows } = await owner.query(
    `select revoked_at is not null as ended from grants where tenant_id = $1 order by id`,
    [tenant.id],
  );
  expect(rows.map(({ ended }) => ended)).toEqual(held.map(([, , ended]) => ended));
});

test('the keys and clients of another tenant, which has a server of this name, keep theirs', async () => {
  const [mine, deleting] = [tenant, await api.newTenant()];
  const [key, client] = [await newKey('brief:read'), await newClient('brief:read')];
  tenant = deleting;
  await newServer('brief');
  await send('DELETE', '/v1/servers/brief');
  tenant = mine;
  expect(await keyOf(key)).toEqual({ scopes: ['brief:read'], revoked: false });
  expect((await send('GET', `/v1/clients/${client}`)).body).toMatchObject({ scopes: ['brief:read'], enabled: true });
});

test('no key is left with a scope of it, however many are made and turned while it is deleted', async () => {
  const first = await newKey('brief:read', 'mcp:read');
  const busy = Array.from({ length: 6 }, (_, at) =>
    at === 0
      ? send('POST', `/v1/api-keys/${first}/rotation`, {})
      : at === 3
        ? send('DELETE', '/v1/servers/brief')
        : send('POST', '/v1/api-keys', { name: 'k', scopes: ['brief:write', 'mcp:read'] }),
  );
  const statuses = (await Promise.all(busy)).map(({ status }) => status);
  expect(statuses.every((status) => [201, 204, 422].includes(status))).toBe(true);
  const { api_keys: keys } = (await send('GET', '/v1/api-keys?state=usable')).body;
  expect(JSON.stringify(keys)).not.toContain('brief:');
});
