import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';
import { newSession } from '../testing/operators.fixture.js';

let api: ControlPlane;
let tenant: TestTenant;
let other: TestTenant;

beforeAll(async () => {
  api = await startControlPlane();
  [tenant, other] = await Promise.all([api.newTenant('CANARY-A'), api.newTenant('CANARY-B')]);
});

afterAll(() => api?.stop());

const me = (key: string) => api.send('GET', '/v1/me', { key });

test('a person is told their e-mail, their role here and what that lets them do', async () => {
  const developer = await api.newMember(tenant, 'developer');
  const { members } = (await api.send('GET', '/v1/members', { key: await api.tokenOf(tenant, tenant.ownerId) })).body;
  const { email } = members.find(({ account_id: id }: { account_id: string }) => id === developer);
  const { status, body, text } = await me(await api.tokenOf(tenant, developer));
  expect([status, body]).toEqual([
    200,
    {
      who: { kind: 'person', id: developer, email, role: 'developer', groups: [], client: expect.any(String) },
      tenant: { id: tenant.id, slug: tenant.slug },
      permissions: expect.arrayContaining(['releases.write']),
    },
  ]);
  expect(body.permissions).not.toContain('members.read');
  expect(text).not.toContain('CANARY-B');
});

test('a key is told its name, the prefix that the list has, and its scopes; never its text', async () => {
  const created = { name: 'deploys', scopes: ['management'], expires_at: '2090-01-01T00:00:00.000Z' };
  const { text: key, ...shown } = (await api.send('POST', '/v1/api-keys', { key: tenant.key, body: created })).body;
  const { body, text } = await me(key);
  const { id, prefix, created_by } = shown;
  expect(body.who).toEqual({ kind: 'api_key', id, prefix, created_by, ...created });
  expect(text).not.toContain(key);
  expect(body.permissions).not.toContain('members.read');
});

test('a person of two tenants is told of the one that the token is for', async () => {
  const account = await api.newMember(tenant, 'auditor');
  await api.control.asTenant(other.id, (tx) =>
    tx.query(`insert into members (tenant_id, account_id, role) values ($1, $2, 'owner')`, [other.id, account]),
  );
  const [here, there] = [await me(await api.tokenOf(tenant, account)), await me(await api.tokenOf(other, account))];
  expect([here.body.who.role, here.body.tenant.slug]).toEqual(['auditor', tenant.slug]);
  expect([there.body.who.role, there.body.tenant.slug]).toEqual(['owner', other.slug]);
});

test('an operator who looks at the tenant is told that', async () => {
  const { operator, token } = await newSession(api, 'operator');
  const begun = await api.send('POST', `/admin/v1/tenants/${tenant.slug}/impersonations`, {
    key: token,
    body: { reason: 'ticket 7', minutes: 10 },
  });
  expect((await me(begun.body.token)).body.who).toEqual({ kind: 'operator', id: operator.id });
});

test('nobody is told anything without credentials, or with a key that manages nothing', async () => {
  expect((await api.send('GET', '/v1/me')).status).toBe(401);
  const agent = await api.send('POST', '/v1/api-keys', { key: tenant.key, body: { name: 'agent', scopes: ['mcp'] } });
  expect((await me(agent.body.text)).status).toBe(403);
});
