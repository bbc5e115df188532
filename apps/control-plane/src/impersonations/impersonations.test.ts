import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { settleTenant } from '#libs/testing';
import { startControlPlane, type ControlPlane } from '../testing/control-plane.fixture.js';
import { newEmergencyKey } from '../testing/emergency-key.fixture.js';
import { newSession } from '../testing/operators.fixture.js';

let api: ControlPlane;

beforeAll(async () => {
  api = await startControlPlane({ dedicated: true });
});

afterAll(() => api.stop());

const begin = (key: string, slug: string, body: object) =>
  api.send('POST', `/admin/v1/tenants/${slug}/impersonations`, { key, body });

test('an operator reads a tenant for a time, changes nothing there, and the tenant sees every use', async () => {
  const [tenant, other] = [await api.newTenant('CANARY-A'), await api.newTenant('CANARY-B')];
  const { operator, token: session } = await newSession(api, 'operator');
  const { body } = await begin(session, tenant.slug, { reason: 'ticket 7: no tools', minutes: 10 });
  const key: string = body.token;
  const shown = await api.send('GET', '/v1/tenant', { key });
  expect([shown.status, shown.body.tenant.slug]).toEqual([200, tenant.slug]);
  expect(shown.text).not.toContain('CANARY-B');
  const written = await api.send('POST', '/v1/servers', { key, body: { slug: 'mine', name: 'Mine' } });
  expect([written.status, written.body.detail]).toEqual([403, expect.stringContaining('changes nothing')]);
  expect((await api.send('DELETE', '/v1/secrets/any', { key })).status).toBe(403);
  expect((await api.send('GET', '/v1/tenant/exports', { key })).status).toBe(403);
  expect((await api.send('GET', '/admin/v1/tenants', { key })).status).toBe(401);
  const forged = `${key.slice(0, 4)}${other.key.slice(4, 26)}${key.slice(26)}`;
  expect((await api.send('GET', '/v1/tenant', { key: forged })).status).toBe(401);
  const { body: log } = await api.send('GET', '/v1/audit?limit=50', { key: tenant.key });
  const told = log.records.filter(({ event }: { event: string }) => event.startsWith('impersonation.'));
  expect(told.at(-1)).toMatchObject({
    event: 'impersonation.started',
    actor: { kind: 'operator', id: operator.id },
    details: { reason: 'ticket 7: no tools', minutes: 10 },
  });
  const used: Array<{ outcome: string; details: { route?: string } }> = told.slice(0, -1);
  expect(used.map(({ details, outcome }) => `${details.route}: ${outcome}`).toSorted()).toEqual([
    'DELETE /v1/secrets/{name}: forbidden',
    'GET /v1/tenant/exports: forbidden',
    'GET /v1/tenant: ok',
    'POST /v1/servers: forbidden',
  ]);
  const theirs = await api.send('GET', '/v1/audit?limit=50', { key: other.key });
  expect(theirs.text).not.toContain('impersonation');
  const path = `/admin/v1/tenants/${tenant.slug}/impersonations`;
  const { body: list } = await api.send('GET', path, { key: session });
  expect(list.impersonations).toMatchObject([{ state: 'open', uses: 4, operator: { name: 'Otto' } }]);
  expect((await api.send('DELETE', `${path}/${body.impersonation.id}?reason=done`, { key: session })).status).toBe(204);
  expect((await api.send('GET', '/v1/tenant', { key })).status).toBe(401);
});

test('whoever is shut out or made support reads no longer, and support does not begin', async () => {
  const tenant = await api.newTenant();
  const { operator, token } = await newSession(api, 'operator');
  const { body } = await begin(token, tenant.slug, { reason: 'r' });
  const change = (to: object) =>
    api.send('PATCH', `/admin/v1/operators/${operator.id}`, { key: api.operatorKey, body: { ...to, reason: 'r' } });
  await change({ role: 'support' });
  expect((await api.send('GET', '/v1/tenant', { key: body.token })).status).toBe(401);
  expect((await begin(token, tenant.slug, { reason: 'r' })).status).toBe(403);
});

const changeOperator = (id: string, to: object) =>
  api.send('PATCH', `/admin/v1/operators/${id}`, { key: api.operatorKey, body: { ...to, reason: 'r' } });
const reinvite = (id: string) =>
  api.send('POST', `/admin/v1/operators/${id}/invitation`, { key: api.operatorKey, body: { reason: 'r' } });

const FALLS: Array<[string, (id: string) => Promise<unknown>, ((id: string) => Promise<unknown>)?]> = [
  ['demoted', (id) => changeOperator(id, { role: 'support' }), (id) => changeOperator(id, { role: 'operator' })],
  ['shut out', (id) => changeOperator(id, { disabled: true }), (id) => changeOperator(id, { disabled: false })],
  ['invited again', reinvite],
];

test.each(['common', 'own'].flatMap((home) => FALLS.map(([what, fall, rise]) => [what, home, fall, rise] as const)))(
  'what an operator began who is %s is over for good, for a tenant at home in %s',
  async (_, home, fall, rise) => {
    const tenant = await api.newTenant();
    const { operator, token } = await newSession(api, 'operator');
    const { body } = await begin(token, tenant.slug, { reason: 'r' });
    if (home === 'own') await settleTenant(api.databaseUrl, api.ownDatabaseUrl, tenant.id);
    const looks = async () => (await api.send('GET', '/v1/tenant', { key: body.token })).status;
    expect(await looks()).toBe(200);
    await fall(operator.id);
    expect(await looks()).toBe(401);
    await rise?.(operator.id);
    expect(await looks()).toBe(401);
  },
);

test('what has ended with its operator’s role is shown as ended, and a new one opens', async () => {
  const tenant = await api.newTenant();
  const { operator, token } = await newSession(api, 'operator');
  await begin(token, tenant.slug, { reason: 'before' });
  await changeOperator(operator.id, { role: 'support' });
  await changeOperator(operator.id, { role: 'operator' });
  const { body } = await begin(token, tenant.slug, { reason: 'after' });
  expect((await api.send('GET', '/v1/tenant', { key: body.token })).status).toBe(200);
  const list = await api.send('GET', `/admin/v1/tenants/${tenant.slug}/impersonations`, { key: token });
  const states = list.body.impersonations.map(({ reason, state }: { reason: string; state: string }) => [
    reason,
    state,
  ]);
  expect(states).toEqual([
    ['after', 'open'],
    ['before', 'ended'],
  ]);
});

test('an operator of whom the tenant’s own database knows nothing yet looks at it at once', async () => {
  const tenant = await api.newTenant();
  await settleTenant(api.databaseUrl, api.ownDatabaseUrl, tenant.id);
  const { operator, token } = await newSession(api, 'operator');
  const own = new Client({ connectionString: api.ownDatabaseUrl });
  await own.connect();
  await own.query(`delete from operators where id = $1`, [operator.id]);
  const answer = await begin(token, tenant.slug, { reason: 'r' });
  const { rows } = await own.query(`select name, key_hash from operators where id = $1`, [operator.id]);
  await own.end();
  expect([answer.status, answer.body.impersonation.operator]).toEqual([201, { id: operator.id, name: 'Otto' }]);
  expect(rows).toEqual([{ name: 'Otto', key_hash: null }]);
  expect((await api.send('GET', '/v1/tenant', { key: answer.body.token })).status).toBe(200);
});

test('an emergency key that is shut ends what was begun with it', async () => {
  const tenant = await api.newTenant();
  const { id, text } = await newEmergencyKey({ databaseUrl: api.databaseUrl });
  const { body } = await begin(text, tenant.slug, { reason: 'r' });
  expect((await api.send('GET', '/v1/tenant', { key: body.token })).status).toBe(200);
  const shut = await api.send('DELETE', `/admin/v1/emergency-keys/${id}?reason=r`, { key: api.operatorKey });
  expect(shut.status).toBe(204);
  expect((await api.send('GET', '/v1/tenant', { key: body.token })).status).toBe(401);
});

test.each([{}, { reason: 'r', minutes: 61 }, { reason: 'r', minutes: 0 }])('%j begins nothing', async (body) => {
  const tenant = await api.newTenant();
  expect((await begin(api.operatorKey, tenant.slug, body)).status).toBe(400);
});

test('limits of a tenant’s own hold in place of its plan’s at once, and can be taken back', async () => {
  const tenant = await api.newTenant();
  const path = `/admin/v1/tenants/${tenant.slug}/limits`;
  const set = (limits: object) =>
    api.send('PUT', path, { key: api.operatorKey, body: { limits, reason: 'launch week' } });
  const before = (await api.send('GET', '/v1/tenant', { key: tenant.key })).body.limits;
  const { body } = await set({ calls_per_minute: 4_321, calls_per_month: null });
  expect(body).toMatchObject({ plan: 'free', reason: 'launch week', effective: { calls_per_month: null } });
  const after = (await api.send('GET', '/v1/tenant', { key: tenant.key })).body.limits;
  expect(after).toEqual({ ...before, calls_per_minute: 4_321 });
  const budgets = await api.send('GET', '/v1/usage/budgets', { key: tenant.key });
  expect(budgets.body.budgets[0]).toMatchObject({ budget: 'calls_per_month', allowed: null });
  expect((await set({ calls_per_minute: 0 })).status).toBe(400);
  await set({});
  expect((await api.send('GET', '/v1/tenant', { key: tenant.key })).body.limits).toEqual(before);
});
