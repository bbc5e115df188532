import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { settleTenant } from '#libs/testing';
import { Client } from 'pg';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';

const LIMITS = { calls_per_minute: 5, concurrent_calls: 2, servers_max: 1, worker_memory_mb: 128 };
let api: ControlPlane;

beforeAll(async () => {
  api = await startControlPlane({ dedicated: true });
});

afterAll(() => api?.stop());

interface Sent {
  readonly body?: object;
  readonly tag?: string | null;
}

const act = (method: string, path: string, { body, tag }: Sent = {}) =>
  api.send(method, `/admin/v1${path}`, {
    key: api.operatorKey,
    ...(body === undefined ? {} : { body: { ...body, reason: 'a test' } }),
    ...(typeof tag === 'string' ? { headers: { 'if-match': tag } } : {}),
  });

const newPlan = async (name: string, settings: object = {}): Promise<string> => {
  await act('PUT', `/plans/${name}`, { body: { ...LIMITS, ...settings } });
  return `/plans/${name}`;
};

const assign = ({ slug }: TestTenant, plan: string) => act('PUT', `/tenants/${slug}/plan`, { body: { plan } });

const acts = async (action: string, name: string) => {
  const { body } = await act('GET', `/actions?action=${action}&limit=200`);
  return body.actions.filter(({ details }: { details: { name: string } }) => details.name === name);
};

test('a change leaves what it does not name, and the log has what it was before', async () => {
  const path = await newPlan('kept', { over_budget: 'serve', deletion_grace_days: 30 });
  const answer = await act('PATCH', path, { body: { servers_max: 7 } });
  expect(answer.body.plan).toMatchObject({ ...LIMITS, servers_max: 7, over_budget: 'serve', deletion_grace_days: 30 });
  expect((await act('GET', path)).body).toEqual(answer.body);
  await act('PATCH', path, { body: { servers_max: 7 } });
  expect(await acts('plans.change', 'kept')).toMatchObject([
    { details: { servers_max: 7, outcome: 'unchanged' } },
    { details: { servers_max: 7, before: { servers_max: 1 }, outcome: 'done' } },
  ]);
  expect((await act('PATCH', '/plans/never', { body: { servers_max: 7 } })).status).toBe(404);
});

test('of two who change the plan that both read, one is refused', async () => {
  const path = await newPlan('read');
  const tag = (await act('GET', path)).headers.get('etag');
  const answers = await Promise.all([
    act('PATCH', path, { tag, body: { servers_max: 2 } }),
    act('PUT', path, { tag, body: { ...LIMITS, servers_max: 3 } }),
  ]);
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 412]);
  const kept = answers.find(({ status }) => status === 200);
  const shown = await act('GET', path);
  expect([shown.body, shown.headers.get('etag')]).toEqual([kept?.body, kept?.headers.get('etag')]);
  expect((await act('DELETE', `${path}?reason=done`, { tag })).status).toBe(412);
});

test('a plan is of the dedicated tier for as long as a tenant of it is in a database of its own', async () => {
  const path = await newPlan('apart', { isolation_tier: 'dedicated' });
  const tenant = await api.newTenant();
  await assign(tenant, 'apart');
  await settleTenant(api.databaseUrl, api.ownDatabaseUrl, tenant.id);
  for (const refused of [
    await act('PUT', path, { body: LIMITS }),
    await act('PATCH', path, { body: { isolation_tier: 'shared' } }),
  ]) {
    expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining(tenant.slug)]);
  }
  expect((await act('PATCH', path, { body: { servers_max: 9 } })).body.plan.isolation_tier).toBe('dedicated');
});

test('a tenant in a database of its own gets a plan as it is, and not as the copy there still says', async () => {
  const tenant = await api.newTenant();
  await settleTenant(api.databaseUrl, api.ownDatabaseUrl, tenant.id);
  const own = new Client({ connectionString: api.ownDatabaseUrl });
  await own.connect();
  for (const [name, status] of [['once-apart', 409] as const, ['gone', 422] as const]) {
    if (status === 409) await newPlan(name);
    await own.query(
      `insert into plans (name, calls_per_minute, concurrent_calls, servers_max, worker_memory_mb, isolation_tier)
       values ($1, 5, 2, 1, 128, 'dedicated') on conflict (name) do update set isolation_tier = 'dedicated'`,
      [name],
    );
    expect((await assign(tenant, name)).status).toBe(status);
  }
  const { rows } = await own.query(`select plan from tenants where id = $1`, [tenant.id]);
  await own.end();
  expect(rows).toEqual([{ plan: 'free' }]);
});

test('a plan is deleted once no tenant has it, and the one of sign-ups never', async () => {
  const path = await newPlan('over');
  const tenant = await api.newTenant();
  await assign(tenant, 'over');
  const refused = await act('DELETE', `${path}?reason=done`);
  expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining('1 tenant has it')]);
  await assign(tenant, 'free');
  expect((await act('DELETE', `${path}?reason=done`)).status).toBe(204);
  expect([(await act('GET', path)).status, (await assign(tenant, 'over')).status]).toEqual([404, 422]);
  expect((await act('DELETE', '/plans/free?reason=done')).status).toBe(409);
});
