import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { settleTenant, until } from '#libs/testing';
import { startControlPlane, type ControlPlane } from '../testing/control-plane.fixture.js';
import { newSession } from '../testing/operators.fixture.js';

let api: ControlPlane;

beforeAll(async () => {
  api = await startControlPlane({ dedicated: true });
});

afterAll(() => api.stop());

const act = (method: string, path: string, body?: unknown) =>
  api.send(method, `/admin/v1${path}`, { key: api.operatorKey, ...(body === undefined ? {} : { body }) });

const events = async (key: string, prefix: string) => {
  const { body } = await api.send('GET', '/v1/audit?limit=200', { key });
  return body.records.filter((record: { event: string }) => record.event.startsWith(prefix));
};

test('tenants are listed in pages, by state and by part of a name in which % is itself', async () => {
  const tenants = [await api.newTenant('one%'), await api.newTenant('one%'), await api.newTenant('oneX')];
  const find = async (query: string) =>
    (await act('GET', `/tenants?${query}`)).body.tenants.map((tenant: { slug: string }) => tenant.slug);
  expect(await find('q=one%25')).toEqual([tenants[1]?.slug, tenants[0]?.slug]);
  const { body } = await act('GET', '/tenants?q=one&limit=2');
  expect(await find(`q=one&cursor=${body.next_cursor}`)).toEqual([tenants[0]?.slug]);
  await act('POST', `/tenants/${tenants[2]?.slug}/suspend`, { reason: 'unpaid' });
  expect(await find('status=suspended')).toEqual([tenants[2]?.slug]);
});

const slugsOf = async (q: string, key = api.operatorKey): Promise<string[]> =>
  (await api.send('GET', `/admin/v1/tenants?q=${encodeURIComponent(q)}`, { key })).body.tenants.map(
    ({ slug }: { slug: string }) => slug,
  );

test('a tenant is found by its id and by a member’s whole address, wherever it is at home, and by no part of either', async () => {
  const [tenant, away, other] = [await api.newTenant(), await api.newTenant(), await api.newTenant()];
  const email = `ada.${tenant.slug}@example.com`;
  const accountId = await api.newMember(tenant, 'user', { email });
  await api.control.asTenant(away.id, (tx) =>
    tx.query(`insert into members (tenant_id, account_id, role) values ($1, $2, 'user')`, [away.id, accountId]),
  );
  await settleTenant(api.databaseUrl, api.ownDatabaseUrl, away.id);
  expect(await slugsOf(tenant.id.toUpperCase())).toEqual([tenant.slug]);
  // A database that has just come into use is asked within seconds.
  await until(async () => (await slugsOf(email)).length === 2, 'both homes are asked');
  expect(await slugsOf(email.toUpperCase())).toEqual([away.slug, tenant.slug]);
  expect(await slugsOf(`${other.slug}@example.com`)).toEqual([other.slug]);
  expect([await slugsOf(email.slice(1)), await slugsOf(tenant.id.slice(0, 13))]).toEqual([[], []]);
  const { token } = await newSession(api, 'support');
  const found = await api.send('GET', `/admin/v1/tenants?q=${email}`, { key: token });
  expect([found.body.tenants.length, found.text.includes(email)]).toEqual([2, false]);
  const { text } = await act('GET', '/actions?action=tenants.list&limit=200');
  expect([text.includes('"searched":"address"'), text.includes(email)]).toEqual([true, false]);
});

test('a tenant is named by its id where it is by its slug, and nobody’s slug stands in for another’s id', async () => {
  const [tenant, other] = [await api.newTenant(), await api.newTenant()];
  expect((await act('GET', `/tenants/${tenant.id.toUpperCase()}`)).body.tenant.slug).toBe(tenant.slug);
  const owner = new Client({ connectionString: api.databaseUrl });
  await owner.connect();
  await owner.query(`update tenants set slug = $2 where id = $1`, [other.id, tenant.id]);
  await owner.end();
  expect((await act('GET', `/tenants/${tenant.id}`)).body.tenant.id).toBe(tenant.id);
  expect((await act('GET', `/tenants/${other.id}`)).body.tenant.id).toBe(other.id);
  const ask = (confirm: string) => act('POST', `/tenants/${tenant.id}/deletion`, { confirm, reason: 'r' });
  expect((await ask(tenant.id)).status).toBe(400);
  expect((await ask(tenant.slug)).status).toBe(202);
  for (const name of [tenant.id, tenant.slug]) {
    const { body } = await act('GET', `/tenant-deletions?tenant=${name}`);
    expect(body.deletions.map((row: { tenant: { id: string } }) => row.tenant.id)).toEqual([tenant.id]);
  }
  expect((await act('GET', `/tenant-deletions?tenant=${other.id}`)).body.deletions).toEqual([]);
});

test('the log is read between two times', async () => {
  const tenant = await api.newTenant();
  await act('GET', `/tenants/${tenant.slug}`);
  const of = async (query: string) =>
    (await act('GET', `/actions?tenant_id=${tenant.id}&${query}`)).body.actions?.map((row: { at: string }) => row.at);
  const [at] = await of('');
  expect(await of(`from=${at}`)).toEqual([at]);
  expect(await of(`to=${at}`)).toEqual([]);
  expect((await act('GET', '/actions?from=99999-01-01T00:00:00Z')).status).toBe(400);
});

test('suspending stops the workers once, and says why in both audits', async () => {
  const tenant = await api.newTenant();
  for (let times = 0; times < 2; times += 1) {
    const answer = await act('POST', `/tenants/${tenant.slug}/suspend`, { reason: 'spam reports' });
    expect(answer.body.tenant).toMatchObject({ status: 'suspended', status_reason: 'spam reports' });
  }
  const owner = new Client({ connectionString: api.databaseUrl });
  await owner.connect();
  const { rows } = await owner.query(`select name from outbox where tenant_id = $1 order by name`, [tenant.id]);
  await owner.end();
  expect(rows).toEqual([{ name: 'evict-tenant' }, { name: 'tell-owners' }]);
  await act('POST', `/tenants/${tenant.slug}/resume`, { reason: 'cleared' });
  expect(await events(tenant.key, 'tenant.s')).toMatchObject([
    { actor: { kind: 'operator' }, details: { reason: 'spam reports' }, outcome: 'ok' },
  ]);
  const actions = await act('GET', '/actions?limit=200');
  const own = actions.body.actions.filter((action: { tenant_id: string }) => action.tenant_id === tenant.id);
  expect(own).toMatchObject([
    { action: 'tenants.resume', reason: 'cleared', operator: { name: 'Olga' } },
    { action: 'tenants.suspend', reason: 'spam reports' },
    { action: 'tenants.suspend' },
  ]);
});

test('the owners are told, with the reason only where the operator says so, and once', async () => {
  const tenant = await api.newTenant();
  const acts = [
    ['suspend', { reason: 'kept from the mail' }],
    ['suspend', { reason: 'nothing to change', mail_reason: true }],
    ['resume', { reason: 'cleared', mail_reason: true }],
    ['deletion', { reason: 'unpaid', mail_reason: true, confirm: tenant.slug }],
    ['restore', { reason: 'paid', mail_reason: false }],
  ] as const;
  for (const [path, body] of acts) await act('POST', `/tenants/${tenant.slug}/${path}`, body);
  const owner = new Client({ connectionString: api.databaseUrl });
  await owner.connect();
  const { rows } = await owner.query(
    `select payload from outbox where tenant_id = $1 and name = 'tell-owners' order by created_at, id`,
    [tenant.id],
  );
  await owner.end();
  const tenantId = tenant.id;
  expect(rows.map(({ payload }) => payload)).toEqual([
    { tenantId, news: { kind: 'suspended' } },
    { tenantId, news: { kind: 'resumed' }, reason: 'cleared' },
    {
      tenantId,
      news: { kind: 'deletion_requested', by: 'operator', due_at: expect.any(String) },
      reason: 'unpaid',
    },
    { tenantId, news: { kind: 'restored' } },
  ]);
});

test('a plan is defined, assigned and felt by the tenant at once', async () => {
  const tenant = await api.newTenant();
  const limits = { calls_per_minute: 5, concurrent_calls: 2, servers_max: 1, worker_memory_mb: 128 };
  expect((await act('PUT', '/plans/tiny', { ...limits, reason: 'trial' })).body.plan).toEqual({
    name: 'tiny',
    ...limits,
    deletion_grace_days: 7,
    isolation_tier: 'shared',
    when_uncertain: 'allow',
    audit_retention_days: 365,
    audit_archive_days: null,
    audit_mode: 'disk',
    sessions_max: 1_000,
    client_sessions_max: 100,
    session_idle_seconds: 1_800,
    calls_per_month: null,
    tool_seconds_per_month: null,
    bytes_per_month: null,
    egress_bytes_per_month: null,
    budget_warn_percent: 80,
    over_budget: 'refuse',
    documents_max: 10_000,
    document_bytes_max: 104_857_600,
    inline_result_bytes_max: 1_048_576,
    kept_result_bytes_max: 33_554_432,
  });
  const path = `/tenants/${tenant.slug}/plan`;
  expect((await act('PUT', path, { plan: 'tiny', reason: 'trial' })).body.tenant.plan).toBe('tiny');
  expect((await api.send('GET', '/v1/tenant', { key: tenant.key })).body.limits).toEqual(limits);
  expect(await events(tenant.key, 'tenant.plan')).toMatchObject([{ details: { plan: 'tiny', reason: 'trial' } }]);
  expect((await act('PUT', path, { plan: 'huge', reason: 'r' })).status).toBe(422);
  const plans = await act('GET', '/plans');
  expect(plans.body.plans.map((plan: { name: string }) => plan.name)).toEqual(['free', 'scale', 'team', 'tiny']);
});

test.each([{}, { reason: '' }, { reason: '   ' }, { reason: 'x'.repeat(1_001) }, { reason: 'a\nb' }])(
  'an act without a proper reason is refused: %j',
  async (body) => {
    const tenant = await api.newTenant();
    expect((await act('POST', `/tenants/${tenant.slug}/suspend`, body)).status).toBe(400);
    expect((await api.send('GET', '/v1/tenant', { key: tenant.key })).status).toBe(200);
  },
);

test.each([
  [{ calls_per_minute: 0 }],
  [{ worker_memory_mb: 63 }],
  [{ servers_max: 1.5 }],
  [{ concurrent_calls: '5' }],
  [{ calls_per_minute: 1e12 }],
])('a plan with %j is refused', async (changes) => {
  const plan = { calls_per_minute: 5, concurrent_calls: 2, servers_max: 1, worker_memory_mb: 128, reason: 'r' };
  expect((await act('PUT', '/plans/odd', { ...plan, ...changes })).status).toBe(400);
});

test('an act that is refused leaves no trace of having happened', async () => {
  await act('POST', '/tenants/never-existed/suspend', { reason: 'r' });
  expect((await act('GET', '/actions')).text).not.toContain('never-existed');
});
