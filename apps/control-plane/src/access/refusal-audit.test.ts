import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { newId } from '#libs/database';
import { mintApiKey } from '#libs/identity';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';

let api: ControlPlane;

beforeAll(async () => {
  api = await startControlPlane();
});

afterAll(() => api.stop());

const wrong = (key: string): string => `${key.slice(0, -4)}AAAA`;

interface Record {
  readonly actor: { readonly kind: string; readonly id?: string };
  readonly target: string;
  readonly outcome: string;
  readonly details: { readonly unrecorded?: number };
  readonly source_address: string;
  readonly trace_id: string | null;
}

async function refusalsOf({ key }: TestTenant): Promise<Record[]> {
  const { body } = await api.send('GET', '/v1/audit?event=management.refused&limit=200', { key });
  return body.records;
}

test('a request with a wrong key of a tenant leaves a record in that tenant’s log: route, code and address', async () => {
  const [tenant, other] = [await api.newTenant(), await api.newTenant()];
  expect((await api.send('GET', '/v1/servers/shop', { key: wrong(tenant.key) })).status).toBe(401);
  const records = await refusalsOf(tenant);
  expect(records).toHaveLength(1);
  expect(records[0]).toMatchObject({
    actor: { kind: 'anonymous' },
    target: 'route:GET /v1/servers/{server}',
    outcome: 'unauthenticated',
    details: {},
    source_address: '127.0.0.1',
    trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
  expect(await refusalsOf(other)).toEqual([]);
});

test('whoever was proved and may not is named: a revoked key, a key for agents, a member without the role', async () => {
  const tenant = await api.newTenant();
  const create = async (scopes: string[]) =>
    (await api.send('POST', '/v1/api-keys', { key: tenant.key, body: { name: 'k', scopes } })).body;
  const [agent, revoked] = [await create(['mcp']), await create(['management'])];
  await api.send('DELETE', `/v1/api-keys/${revoked.id}`, { key: tenant.key });
  const member = await api.newMember(tenant, 'user');
  for (const key of [revoked.text, agent.text, await api.tokenOf(tenant, member)]) {
    await api.send('DELETE', '/v1/servers/shop', { key });
  }
  const records = (await refusalsOf(tenant)).toReversed();
  expect(records.map(({ actor, outcome }) => [actor.kind, actor.id, outcome])).toEqual([
    ['api-key', revoked.id, 'unauthenticated'],
    ['api-key', agent.id, 'forbidden'],
    ['person', member, 'forbidden'],
  ]);
  expect(new Set(records.map(({ target }) => target))).toEqual(new Set(['route:DELETE /v1/servers/{server}']));
});

test('a token that cannot be believed is recorded where it points, as nobody’s', async () => {
  const tenant = await api.newTenant();
  const claims = { sub: tenant.ownerId, tenant: tenant.id, aud: `http://localhost:4000/v1/tenants/${tenant.slug}` };
  await api.send('GET', '/v1/tenant', { key: await api.issuer.token({ claims, foreignKey: true }) });
  await api.send('GET', '/v1/tenant', { key: await api.issuer.token({ claims, lifetimeSeconds: -60 }) });
  const records = await refusalsOf(tenant);
  expect(records.map(({ actor, outcome }) => [actor, outcome])).toEqual([
    [{ kind: 'anonymous' }, 'unauthenticated'],
    [{ kind: 'anonymous' }, 'unauthenticated'],
  ]);
});

test('refusals that name no tenant, or one that never was, leave nothing', async () => {
  const owner = new Client({ connectionString: api.databaseUrl });
  await owner.connect();
  const count = async (): Promise<number> =>
    (await owner.query('select count(*)::int as n from audit_records')).rows[0].n;
  const before = await count();
  for (const key of [undefined, 'nonsense', 'a.b.c', api.operatorKey, mintApiKey(newId()).text]) {
    expect((await api.send('GET', '/v1/tenant', key === undefined ? {} : { key })).status).toBe(401);
  }
  expect(await count()).toBe(before);
  await owner.end();
});

test('at most sixty a minute are recorded for a tenant, and the next record says how many are missing', async () => {
  const [tenant, other] = [await api.newTenant(), await api.newTenant()];
  const refuse = () => api.send('GET', '/v1/tenant', { key: wrong(tenant.key) });
  await Promise.all(Array.from({ length: 150 }, refuse));
  let sent = 150;
  let recorded = await refusalsOf(tenant);
  expect(recorded.length).toBeLessThan(sent);
  const told = () => recorded.reduce((sum, { details }) => sum + 1 + (details.unrecorded ?? 0), 0);
  while (told() < sent) {
    await refuse();
    sent += 1;
    recorded = await refusalsOf(tenant);
  }
  expect(told()).toBe(sent);
  expect(recorded.length).toBeGreaterThan(60);
  await api.send('GET', '/v1/tenant', { key: wrong(other.key) });
  expect(await refusalsOf(other)).toHaveLength(1);
});
