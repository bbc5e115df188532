import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Client } from 'pg';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';

let api: ControlPlane;
let owner: Client;
let tenant: TestTenant;
let token: string;

beforeAll(async () => {
  api = await startControlPlane({ environment: { WHARF_OPERATOR_CONTACT: 'help@example.com' } });
  tenant = await api.newTenant();
  token = await api.tokenOf(tenant, tenant.ownerId);
  owner = await api.connectOwner();
});

afterAll(() => api.stop());

const leave = (key: string, confirm = tenant.slug) =>
  api.send('DELETE', `/v1/tenant?confirm=${confirm}&reason=we%20are%20done`, { key });
const asOperator = (method: string, path: string, body?: unknown) =>
  api.send(method, `/admin/v1/tenants/${tenant.slug}${path}`, { key: api.operatorKey, ...(body ? { body } : {}) });

test('only an owner, who names the tenant, can have it deleted', async () => {
  const admin = await api.tokenOf(tenant, await api.newMember(tenant, 'admin'));
  expect((await leave(admin)).status).toBe(403);
  expect((await leave(tenant.key)).status).toBe(403);
  const wrong = await leave(token, 'another');
  expect([wrong.status, wrong.body.errors[0].pointer]).toEqual([400, '/confirm']);
  expect((await api.send('GET', '/v1/tenant/deletion', { key: token })).body.deletion).toBeNull();
});

test('a tenant that is to be deleted refuses everything but coming back, and says until when', async () => {
  const asked = await leave(token);
  expect([asked.status, asked.body.state]).toEqual([202, 'waiting']);
  const days = (Date.parse(asked.body.due_at) - Date.parse(asked.body.requested_at)) / 86_400_000;
  expect(Math.round(days)).toBe(7);
  for (const key of [token, tenant.key]) {
    const refused = await api.send('GET', '/v1/servers', { key });
    expect([refused.status, refused.body.code]).toEqual([403, 'tenant_suspended']);
    expect(refused.body.detail).toContain(`to be deleted on ${asked.body.due_at}`);
    expect(refused.body.detail).toContain('POST /v1/tenant/restore');
  }
  const shown = await api.send('GET', '/v1/tenant/deletion', { key: token });
  expect(shown.body).toEqual({ deletion: asked.body, legal_hold: false });
  expect((await asOperator('POST', '/resume', { reason: 'r' })).status).toBe(409);
  // Else it would be undone, unseen, by the owner who takes the deletion back.
  expect((await asOperator('POST', '/suspend', { reason: 'abuse' })).status).toBe(409);
  expect((await asOperator('POST', '/deletion', { confirm: tenant.slug, reason: 'r' })).status).toBe(409);
});

test('it can be kept, and is again what it was', async () => {
  const admin = await api.tokenOf(tenant, await api.newMember(tenant, 'admin'));
  for (const key of [tenant.key, admin])
    expect((await api.send('POST', '/v1/tenant/restore', { key })).body.code).toBe('forbidden');
  const kept = await api.send('POST', '/v1/tenant/restore', { key: token });
  expect([kept.status, kept.body.state, kept.body.requested_by]).toEqual([200, 'cancelled', 'tenant']);
  expect((await api.send('GET', '/v1/servers', { key: token })).status).toBe(200);
  expect((await api.send('POST', '/v1/tenant/restore', { key: token })).status).toBe(409);
  await asOperator('POST', '/suspend', { reason: 'unpaid' });
  const asked = await asOperator('POST', '/deletion', { confirm: tenant.slug, reason: 'unpaid', grace_days: 0 });
  expect([asked.status, asked.body.tenant.slug]).toEqual([202, tenant.slug]);
  expect((await asOperator('POST', '/restore', { reason: 'paid' })).status).toBe(200);
  const shown = (await asOperator('GET', '')).body.tenant;
  expect([shown.status, shown.status_reason, shown.deletion_due_at]).toEqual(['suspended', 'unpaid', null]);
  await asOperator('POST', '/resume', { reason: 'paid' });
});

test('what an operator asked for, the tenant sees and an operator alone takes back', async () => {
  const asked = await asOperator('POST', '/deletion', { confirm: tenant.slug, reason: 'abuse', grace_days: 3 });
  expect([asked.status, asked.body.requested_by]).toEqual([202, 'operator']);
  const seen = (await api.send('GET', '/v1/tenant/deletion', { key: token })).body.deletion;
  expect(seen).toMatchObject({
    state: 'waiting',
    reason: 'abuse',
    requested_by: 'operator',
    contact: 'help@example.com',
  });
  const refused = await api.send('POST', '/v1/tenant/restore', { key: token });
  expect([refused.status, refused.body.code]).toEqual([403, 'forbidden']);
  expect(refused.body.detail).toMatch(/An operator asked.*Write to help@example\.com/);
  expect((await leave(token)).body.code).toBe('tenant_suspended');
  expect((await api.send('GET', '/v1/tenant/deletion', { key: token })).body.deletion.state).toBe('waiting');
  expect((await asOperator('POST', '/restore', { reason: 'an error' })).body.state).toBe('cancelled');
  expect((await api.send('GET', '/v1/servers', { key: token })).status).toBe(200);
});

test('a legal hold is told to the tenant only where it may know, and nothing is erased meanwhile', async () => {
  const erase = () => api.send('DELETE', `/v1/audit/people/${tenant.ownerId}`, { key: token });
  const seen = async () => (await api.send('GET', '/v1/tenant/deletion', { key: token })).body.legal_hold;
  const hidden = await asOperator('POST', '/legal-holds', { reason: 'SECRET-case', told: false });
  expect(hidden.status).toBe(201);
  expect([await seen(), (await erase()).status]).toEqual([false, 409]);
  const log = await api.send('GET', '/v1/audit?limit=100', { key: token });
  expect(log.text).not.toContain('SECRET-case');
  expect((await asOperator('GET', '')).body.tenant.legal_hold).toBe(true);
  const open = await asOperator('POST', '/legal-holds', { reason: 'a case', told: true });
  expect(await seen()).toBe(true);
  const lift = (hold: { id: string }) => asOperator('DELETE', `/legal-holds/${hold.id}?reason=closed`);
  expect((await lift(open.body)).status).toBe(204);
  expect([await seen(), (await erase()).status]).toEqual([false, 409]);
  expect((await lift(hidden.body)).status).toBe(204);
  expect([await seen(), (await erase()).status]).toEqual([false, 404]);
});

test('a hold that the tenant may not know of looks like a deletion in progress, from the due date on', async () => {
  await asOperator('POST', '/legal-holds', { reason: 'SECRET-case', told: false });
  const asked = (await leave(token)).body;
  const seen = async () => (await api.send('GET', '/v1/tenant/deletion', { key: token })).body;
  const restore = () => api.send('POST', '/v1/tenant/restore', { key: token });
  const alter = (what: string) => owner.query(`update tenant_deletions set ${what} where id = $1`, [asked.id]);
  expect(await seen()).toEqual({ deletion: asked, legal_hold: false });
  await alter(`due_at = now() - interval '1 day'`);
  const overdue = await seen();
  expect(overdue.deletion).toMatchObject({ state: 'deleting', ended_at: null });
  const refused = await restore();
  await alter(`state = 'deleting'`);
  expect(await seen()).toEqual(overdue);
  const begun = await restore();
  expect([refused.status, refused.body.detail]).toEqual([409, begun.body.detail]);
  await alter(`state = 'waiting'`);
  await asOperator('POST', '/legal-holds', { reason: 'a case', told: true });
  expect(await seen()).toMatchObject({ deletion: { state: 'waiting' }, legal_hold: true });
  expect((await restore()).status).toBe(200);
});

/** What owners are told, in order. */
async function toldOf(tenantId: string): Promise<string[]> {
  const { rows } = await owner.query(
    `select payload from outbox where tenant_id = $1 and name = 'tell-owners' order by created_at, id`,
    [tenantId],
  );
  expect(rows.map(({ payload }) => payload.contact)).toEqual(rows.map(() => 'help@example.com'));
  return rows.map(({ payload: { news } }) => `${news.kind}${news.often === true ? ', often' : ''}`);
}

test('owners are told of a deletion and that it was taken back, not all day long, and last what is no rosier than it is', async () => {
  const changing = await api.newTenant();
  const key = await api.tokenOf(changing, changing.ownerId);
  const restored = async () => expect((await api.send('POST', '/v1/tenant/restore', { key })).status).toBe(200);
  for (let times = 0; times < 5; times += 1) {
    expect((await leave(key, changing.slug)).status).toBe(202);
    await restored();
  }
  expect((await leave(key, changing.slug)).status).toBe(202);
  const pair = ['deletion_requested', 'restored'];
  const told = [...pair, ...pair, ...pair, 'deletion_requested, often'];
  expect(await toldOf(changing.id)).toEqual(told);
  const operate = (path: string, body: object) =>
    api.send('POST', `/admin/v1/tenants/${changing.slug}${path}`, { key: api.operatorKey, body });
  // Else the owners' next request, of which nobody hears, came after a mail that all is well.
  expect((await operate('/restore', { reason: 'they asked us' })).status).toBe(200);
  expect(await toldOf(changing.id)).toEqual(told);
  expect((await operate('/deletion', { confirm: changing.slug, reason: 'abuse' })).status).toBe(202);
  expect(await toldOf(changing.id)).toEqual([...told, 'deletion_requested, often']);
});
