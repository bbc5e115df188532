import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';
import { newSession } from '../testing/operators.fixture.js';

let api: ControlPlane;
let finance: string;
let tenant: TestTenant;
let token: string;

beforeAll(async () => {
  api = await startControlPlane();
  finance = (await newSession(api, 'admin')).token;
});

afterAll(() => api.stop());

beforeEach(async () => {
  tenant = await api.newTenant();
  token = await api.tokenOf(tenant, tenant.ownerId);
});

const holds = (method: string, path = '', body?: unknown, key = api.operatorKey) =>
  api.send(method, `/admin/v1/tenants/${tenant.slug}/legal-holds${path}`, { key, body });
const listed = async () => (await holds('GET')).body.legal_holds;
const isHeld = async () =>
  (await api.send('GET', `/admin/v1/tenants/${tenant.slug}`, { key: api.operatorKey })).body.tenant.legal_hold;
const log = async () => (await api.send('GET', '/v1/audit?limit=100', { key: token })).text;

test('a second hold leaves the first as it is, says nothing of it, and lifting it leaves the first standing', async () => {
  const sealed = (await holds('POST', '', { reason: 'SEALED subpoena', told: false })).body;
  const open = (await holds('POST', '', { reason: 'request of finance' }, finance)).body;
  expect(await listed()).toEqual([sealed, open]);
  expect([sealed.told, open.told, sealed.held_by === open.held_by]).toEqual([false, true, false]);

  const seen = (await api.send('GET', '/v1/tenant/deletion', { key: token })).text;
  expect(await log()).toContain('request of finance');
  for (const text of [await log(), seen]) expect(text).not.toMatch(/SEALED|holds/);
  expect(await log()).not.toContain(sealed.id);

  expect((await holds('DELETE', `/${open.id}?reason=paid`, undefined, finance)).status).toBe(204);
  expect([await listed(), await isHeld()]).toEqual([[sealed], true]);
  expect((await holds('DELETE', `/${open.id}?reason=paid`)).status).toBe(404);
  expect((await holds('DELETE', `/${sealed.id}?reason=over`)).status).toBe(204);
  expect([await listed(), await isHeld()]).toEqual([[], false]);
  expect(await log()).not.toContain(sealed.id);
});

test('the platform’s log says which hold was placed and lifted', async () => {
  const { id } = (await holds('POST', '', { reason: 'a case', told: false })).body;
  await holds('DELETE', `/${id}?reason=over`);
  const found = await api.send('GET', `/admin/v1/actions?tenant_id=${tenant.id}`, { key: api.operatorKey });
  const acts = found.body.actions.filter(({ details }: { details: { hold?: string } }) => details.hold === id);
  expect(acts.map(({ action, reason }: { action: string; reason: string }) => [action, reason])).toEqual([
    ['tenants.release', 'over'],
    ['tenants.hold', 'a case'],
  ]);
});

test('another tenant’s hold is not found, and support does not read what holds are for', async () => {
  const { id } = (await holds('POST', '', { reason: 'a case' })).body;
  const { slug } = await api.newTenant();
  const path = `/admin/v1/tenants/${slug}/legal-holds`;
  expect((await api.send('DELETE', `${path}/${id}?reason=over`, { key: api.operatorKey })).status).toBe(404);
  expect((await api.send('GET', path, { key: api.operatorKey })).body).toEqual({ legal_holds: [] });
  const support = (await newSession(api, 'support')).token;
  expect((await holds('GET', '', undefined, support)).status).toBe(403);
  expect(await listed()).toHaveLength(1);
});

test('a tenant is under a hundred holds at most', async () => {
  for (let placed = 0; placed < 100; placed += 1) await holds('POST', '', { reason: `case ${placed}` });
  const refused = await holds('POST', '', { reason: 'one more' });
  expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining('100 legal holds')]);
});
