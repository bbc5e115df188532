import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { settleTenant, until } from '#libs/testing';
import { Client } from 'pg';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';

let api: ControlPlane;
let owner: Client;
let tenant: TestTenant;

beforeAll(async () => {
  api = await startControlPlane({ dedicated: true });
  owner = await api.connectOwner();
  tenant = await api.newTenant();
});

afterAll(() => api?.stop());

const show = () => api.send('GET', `/admin/v1/tenants/${tenant.slug}/home`, { key: api.operatorKey });
const move = (database: string) =>
  api.send('PUT', `/admin/v1/tenants/${tenant.slug}/home`, {
    key: api.operatorKey,
    body: { database, reason: 'they pay for it' },
  });

const assign = (plan: string) =>
  api.send('PUT', `/admin/v1/tenants/${tenant.slug}/plan`, {
    key: api.operatorKey,
    body: { plan, reason: 'they pay' },
  });

test('a tenant gets a database of its own by its plan alone', async () => {
  const refused = await move('own');
  expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining('of the shared tier')]);
  const limits = { calls_per_minute: 600, concurrent_calls: 8, servers_max: 3, worker_memory_mb: 256 };
  const body = { ...limits, isolation_tier: 'dedicated', reason: 'for those who ask' };
  const put = await api.send('PUT', '/admin/v1/plans/apart', { key: api.operatorKey, body });
  expect(put.body.plan.isolation_tier).toBe('dedicated');
  expect((await assign('apart')).status).toBe(200);
});

test('a database that nobody named, and the one that the tenant is in, are refused; nothing is changed', async () => {
  const unknown = await move('elsewhere');
  expect([unknown.status, unknown.body.errors[0].pointer]).toEqual([422, '/database']);
  const same = await move('common');
  expect([same.status, same.body.detail]).toEqual([409, expect.stringContaining('at home in common already')]);
  expect((await show()).body).toEqual({ database: 'common', state: 'settled', last_move: null });
});

test('a tenant that is to be deleted stays where it is', async () => {
  const at = `/admin/v1/tenants/${tenant.slug}`;
  const key = api.operatorKey;
  await api.send('POST', `${at}/deletion`, { key, body: { confirm: tenant.slug, reason: 'gone' } });
  const refused = await move('own');
  expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining('is to be deleted')]);
  await api.send('POST', `${at}/restore`, { key, body: { reason: 'stays' } });
});

test('a move stands in the tenant’s log and the platform’s, and there is one at a time', async () => {
  const asked = await move('own');
  expect([asked.status, asked.body.last_move]).toMatchObject([202, { from: 'common', to: 'own', state: 'waiting' }]);
  expect((await move('own')).status).toBe(409);
  const { rows: acts } = await owner.query(
    `select reason, details - 'by' - 'outcome' as details from operator_actions where action = 'tenants.move' and tenant_id = $1`,
    [tenant.id],
  );
  expect(acts).toEqual([{ reason: 'they pay for it', details: { from: 'common', to: 'own' } }]);
  const { rows: log } = await owner.query(
    `select details from audit_records where tenant_id = $1 and event = 'tenant.move_requested'`,
    [tenant.id],
  );
  expect(log).toEqual([{ details: { tier: 'dedicated', reason: 'they pay for it' } }]);
});

test('a move is taken back by asking for the database that the tenant comes from, until it settles in the other', async () => {
  const taken = await api.newTenant();
  const at = `/admin/v1/tenants/${taken.slug}`;
  const put = (path: string, body: object) => api.send('PUT', `${at}/${path}`, { key: api.operatorKey, body });
  await put('plan', { plan: 'apart', reason: 'they pay' });
  const ask = (database: string) => put('home', { database, reason: `to ${database}` });
  const update = (sql: string) => owner.query(`update tenant_moves set ${sql} where tenant_id = $1`, [taken.id]);
  expect((await ask('own')).status).toBe(202);
  await update(`state = 'compared'`);
  await update(`settling_at = now()`);
  expect((await ask('common')).status).toBe(409);
  await update(`settling_at = null`);
  const back = await ask('common');
  expect([back.status, back.body.last_move.state]).toEqual([202, 'compared']);
  expect((await ask('common')).status).toBe(409);
  const { rows } = await owner.query(
    `select m.abandoned, a.reason, a.details ->> 'move' = m.id::text as named from tenant_moves m
     join operator_actions a on a.tenant_id = m.tenant_id and a.action = 'tenants.abandon_move' where m.tenant_id = $1`,
    [taken.id],
  );
  expect(rows).toEqual([{ abandoned: 'to common', reason: 'to common', named: true }]);
});

test('while it is on its way a tenant is refused with the time to come back, and operators see how far it is', async () => {
  await owner.query(`insert into tenant_homes (tenant_id, database, state) values ($1, 'own', 'leaving')`, [tenant.id]);
  await owner.query(`update tenant_moves set state = 'leaving', closed_at = now(), content = $2 where tenant_id = $1`, [
    tenant.id,
    { tables: [{ name: 'servers', rows: 3, sha256: 'x' }], checkpoint: null, unaddressed: [tenant.ownerId] },
  ]);
  const refused = await api.send('GET', '/v1/tenant', { key: tenant.key });
  expect([refused.status, Number(refused.headers.get('retry-after'))]).toEqual([503, 5]);
  const shown = (await show()).body;
  expect(shown).toMatchObject({
    database: 'common',
    state: 'leaving',
    last_move: { tables: 1, rows: 3, unaddressed: 1 },
  });
  await owner.query(`delete from tenant_homes where tenant_id = $1`, [tenant.id]);
  const isOpen = async () => (await api.send('GET', '/v1/tenant', { key: tenant.key })).body.home?.tier === 'common';
  await until(isOpen, 'the tenant to be open again');
});

test('a database of another schema is refused', async () => {
  await owner.query(`delete from tenant_moves where tenant_id = $1`, [tenant.id]);
  await owner.query(`insert into migrations (timestamp, name) values (9999999999999, 'Later9999999999999')`);
  const refused = await move('own');
  expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining('schema of own is older')]);
  await owner.query(`delete from migrations where name = 'Later9999999999999'`);
});

test('a move back is asked for with the record of who asked, or not at all', async () => {
  const settled = await api.newTenant();
  await settleTenant(api.databaseUrl, api.ownDatabaseUrl, settled.id);
  const back = () =>
    api.send('PUT', `/admin/v1/tenants/${settled.slug}/home`, {
      key: api.operatorKey,
      body: { database: 'common', reason: 'they stopped paying' },
    });
  const asked = async () =>
    (
      await owner.query(
        `select (select count(*) from tenant_moves where tenant_id = $1)::int as moves,
           (select count(*) from operator_actions where tenant_id = $1 and action = 'tenants.move')::int as acts`,
        [settled.id],
      )
    ).rows[0];
  await owner.query(`alter table operator_actions add constraint unwritten check (action <> 'tenants.move') not valid`);
  expect((await back()).status).toBe(500);
  expect(await asked()).toEqual({ moves: 0, acts: 0 });
  await owner.query(`alter table operator_actions drop constraint unwritten`);
  const answer = await back();
  expect([answer.status, answer.body.last_move]).toMatchObject([202, { from: 'own', to: 'common', state: 'waiting' }]);
  expect((await back()).status).toBe(409);
  expect(await asked()).toEqual({ moves: 1, acts: 1 });
  const own = new Client({ connectionString: api.ownDatabaseUrl });
  await own.connect();
  const { rows } = await own.query(
    `select details from audit_records where tenant_id = $1 and event = 'tenant.move_requested'`,
    [settled.id],
  );
  await own.end();
  expect(rows).toEqual([{ details: { tier: 'common', reason: 'they stopped paying' } }]);
});
