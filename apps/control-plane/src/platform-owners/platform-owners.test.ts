import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Client } from 'pg';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';

/** A tenant whose only owner came back from another database without an address. */
let api: ControlPlane;
let owner: Client;
let tenant: TestTenant;

beforeAll(async () => {
  api = await startControlPlane();
  owner = await api.connectOwner();
});
beforeEach(async () => {
  tenant = await api.newTenant();
  await owner.query(`update accounts set email = id || '@lost.invalid' where id = $1`, [tenant.ownerId]);
});
afterAll(() => api?.stop());

const path = () => `/admin/v1/tenants/${tenant.slug}/owners`;
const seen = async () => (await api.send('GET', path(), { key: api.operatorKey })).body;
const appoint = (email: string) =>
  api.send('POST', path(), { key: api.operatorKey, body: { email, reason: 'they showed their contract' } });
const acts = async () =>
  (
    await owner.query(`select action from operator_actions where tenant_id = $1 and action like '%appoint%'`, [
      tenant.id,
    ])
  ).rows.length;
const appointed = async () =>
  (
    await owner.query(`select actor ->> 'kind' as by, details from audit_records where tenant_id = $1 and event = $2`, [
      tenant.id,
      'tenant.owner_appointed',
    ])
  ).rows;
const invitations = async () =>
  (await owner.query(`select email, role, invited_by from invitations where tenant_id = $1`, [tenant.id])).rows;

test('an operator sees that nobody reaches an owner, and invites one by mail', async () => {
  expect(await seen()).toEqual({ reachable: 0, unreachable: 1 });
  const { rows: before } = await owner.query(`select from mail_outbox`);
  const answer = await appoint('ada@example.com');
  expect([answer.status, answer.body]).toEqual([201, { became: 'invited', expires_at: expect.any(String) }]);
  expect(await invitations()).toEqual([{ email: 'ada@example.com', role: 'owner', invited_by: tenant.ownerId }]);
  expect((await owner.query(`select from mail_outbox`)).rows.length).toBe(before.length + 1);
  const details = { became: 'invited', invitation: expect.any(String), reason: 'they showed their contract' };
  // That it was asked for, and that it was done.
  expect([await appointed(), await acts()]).toEqual([[{ by: 'operator', details }], 2]);
  // Until they have accepted, nobody reaches an owner, and another may be invited.
  expect([await seen(), (await appoint('grace@example.com')).status]).toEqual([{ reachable: 0, unreachable: 1 }, 201]);
});

test('a member whom mails reach becomes an owner at once, after whom owners make owners', async () => {
  const id = await api.newMember(tenant, 'admin', { email: `admin-of-${tenant.slug}@example.com` });
  const answer = await appoint(`Admin-of-${tenant.slug}@example.com`);
  expect([answer.status, answer.body]).toEqual([201, { became: 'owner', expires_at: null }]);
  expect([await seen(), await invitations()]).toEqual([{ reachable: 1, unreachable: 1 }, []]);
  const key = await api.tokenOf(tenant, id);
  expect((await api.send('DELETE', `/v1/members/${tenant.ownerId}`, { key })).status).toBe(200);
  expect([(await appoint('ada@example.com')).status, await acts()]).toEqual([409, 2]);
});

test('while an owner can be reached nobody is appointed, and nothing is noted', async () => {
  await api.newMember(tenant, 'owner');
  const refused = await appoint('ada@example.com');
  expect([refused.status, refused.body.code]).toEqual([409, 'conflict']);
  expect([await invitations(), await appointed(), await acts()]).toEqual([[], [], 0]);
});

test('whose address is nobody’s is not appointed', async () => {
  expect((await appoint(`${tenant.ownerId}@lost.invalid`)).status).toBe(400);
});
