import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '#libs/database';
import { Client } from 'pg';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';
import { waitingApproval } from '../testing/policy-examples.fixture.js';

let api: ControlPlane;

beforeAll(async () => {
  api = await startControlPlane();
});
afterAll(() => api?.stop());

const made = async (key: string, path: string, body: object) => {
  const { status, body: answer, text } = await api.send('POST', path, { key, body });
  if (status !== 201) throw new Error(text);
  return answer;
};
const keyMadeWith = (key: string) => made(key, '/v1/api-keys', { name: 'an agent', scopes: ['management', 'mcp'] });
const firstKeyOf = async (tenant: TestTenant) =>
  (await api.send('GET', '/v1/api-keys', { key: tenant.key })).body.api_keys[0];
const approve = async (tenant: TestTenant, person: string, requester: object) => {
  const id = await waitingApproval(api, tenant, requester);
  return api.send('POST', `/v1/approvals/${id}/approve`, { key: await api.tokenOf(tenant, person) });
};

test('whoever made the API key of a call does not approve it, and another admin does', async () => {
  const tenant = await api.newTenant();
  const [maker, another] = [await api.newMember(tenant, 'admin'), await api.newMember(tenant, 'admin')];
  const own = await keyMadeWith(await api.tokenOf(tenant, maker));
  expect(own.created_by).toBe(maker);
  const refused = await approve(tenant, maker, { kind: 'api-key', id: own.id });
  expect([refused.status, refused.body.code]).toEqual([403, 'forbidden']);
  expect(refused.body.detail).toMatch(/made with an API key of yours\. Somebody else has to approve it/);
  expect((await approve(tenant, another, { kind: 'api-key', id: own.id })).status).toBe(200);
});

test('a key that was made with a key is of whoever made that one; a successor, of whoever was shown it', async () => {
  const tenant = await api.newTenant();
  const [maker, another] = [await api.newMember(tenant, 'admin'), await api.newMember(tenant, 'owner')];
  const own = await keyMadeWith(await api.tokenOf(tenant, maker));
  const further = await keyMadeWith(own.text);
  expect((await approve(tenant, maker, { kind: 'api-key', id: further.id })).status).toBe(403);
  const rotation = `/v1/api-keys/${further.id}/rotation`;
  const successor = await made(await api.tokenOf(tenant, another), rotation, {});
  expect((await approve(tenant, another, { kind: 'api-key', id: successor.id })).status).toBe(403);
  expect((await approve(tenant, maker, { kind: 'api-key', id: successor.id })).status).toBe(200);
});

test('whoever was given the secret of a machine client does not approve its calls', async () => {
  const tenant = await api.newTenant();
  const [maker, rotator] = [await api.newMember(tenant, 'admin'), await api.newMember(tenant, 'admin')];
  const body = { kind: 'machine', name: 'Nightly' };
  const { client } = await made(await api.tokenOf(tenant, maker), '/v1/clients', body);
  const by = { kind: 'client', id: client.client_id };
  expect((await approve(tenant, rotator, by)).status).toBe(200);
  const answer = await api.send('POST', `/v1/clients/${client.client_id}/secret`, {
    key: await api.tokenOf(tenant, rotator),
    body: {},
  });
  expect(answer.status).toBe(200);
  for (const person of [maker, rotator]) expect((await approve(tenant, person, by)).status).toBe(403);
  expect((await approve(tenant, tenant.ownerId, by)).status).toBe(200);
});

test('the only person of a tenant is told how a call of their first key can be approved', async () => {
  const tenant = await api.newTenant();
  const first = await firstKeyOf(tenant);
  expect(first.created_by).toBe(tenant.ownerId);
  await api.newMember(tenant, 'developer'); // who may not decide
  await api.newMember(tenant, 'owner', { email: `${newId()}@lost.invalid` }); // whom nobody reaches
  const refused = await approve(tenant, tenant.ownerId, { kind: 'api-key', id: first.id });
  expect(refused.status).toBe(403);
  expect(refused.body.detail).toMatch(/Nobody else here may approve it\. Invite a second owner or admin/);
  expect(refused.body.detail).toContain('set `self_approval` of the policy canary');
});

test('whoever was ever given a client’s secret does not approve its calls: an earlier one may still be good', async () => {
  const tenant = await api.newTenant();
  const [first, second] = [await api.newMember(tenant, 'admin'), await api.newMember(tenant, 'admin')];
  const { client } = await made(tenant.key, '/v1/clients', { kind: 'machine', name: 'Nightly' });
  for (const person of [first, second, second]) {
    const key = await api.tokenOf(tenant, person);
    const body = { overlap_seconds: 604_800 };
    expect((await api.send('POST', `/v1/clients/${client.client_id}/secret`, { key, body })).status).toBe(200);
  }
  const by = { kind: 'client', id: client.client_id };
  for (const person of [first, second]) expect((await approve(tenant, person, by)).status).toBe(403);
});

test('nobody approves what a client asked for that is deleted by then, and anybody refuses it', async () => {
  const tenant = await api.newTenant();
  const maker = await api.tokenOf(tenant, await api.newMember(tenant, 'admin'));
  const { client } = await made(maker, '/v1/clients', { kind: 'machine', name: 'Nightly' });
  const id = await waitingApproval(api, tenant, { kind: 'client', id: client.client_id });
  expect((await api.send('DELETE', `/v1/clients/${client.client_id}`, { key: maker })).status).toBe(204);
  const refused = await api.send('POST', `/v1/approvals/${id}/approve`, { key: maker });
  expect([refused.status, refused.body.detail]).toEqual([
    403,
    expect.stringContaining('The client of this call is gone, or'),
  ]);
  expect((await api.send('POST', `/v1/approvals/${id}/refuse`, { key: maker })).status).toBe(200);
});

test('nobody approves what was called with a key or client that an earlier version made during an update', async () => {
  const tenant = await api.newTenant();
  const owner = new Client({ connectionString: api.databaseUrl });
  await owner.connect();
  const id = newId();
  await owner.query(
    `insert into api_keys (tenant_id, id, name, key_hash, prefix, scopes) values ($1, $2, 'k', $3, 'p', '{management,mcp}')`,
    [tenant.id, id, `hash ${id}`],
  );
  await owner.query(
    `insert into clients (tenant_id, id, kind, name, auth_method, redirect_uris, scopes)
     values ($1, $2, 'public', 'C', 'none', '{}', '{mcp}')`,
    [tenant.id, `c-${id}`],
  );
  await owner.end();
  expect((await approve(tenant, tenant.ownerId, { kind: 'api-key', id })).status).toBe(403);
  expect((await approve(tenant, tenant.ownerId, { kind: 'client', id: `c-${id}` })).status).toBe(403);
  const key = await api.tokenOf(tenant, await api.newMember(tenant, 'admin'));
  const successor = await made(key, `/v1/api-keys/${id}/rotation`, {});
  expect((await approve(tenant, tenant.ownerId, { kind: 'api-key', id: successor.id })).status).toBe(200);
});

test('a key of another tenant’s is none that anybody here knows', async () => {
  const [tenant, other] = await Promise.all([api.newTenant(), api.newTenant()]);
  const foreign = await firstKeyOf(other);
  expect((await approve(tenant, tenant.ownerId, { kind: 'api-key', id: foreign.id })).status).toBe(403);
});
