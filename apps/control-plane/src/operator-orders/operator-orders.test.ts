import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Secret } from '#libs/config';
import { Database, newId } from '#libs/database';
import { AppError } from '#libs/errors';
import { createLogger } from '#libs/telemetry';
import { settleTenant, testDatabase, wayTo, type TestDatabase, type Way } from '#libs/testing';
import { Client } from 'pg';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';
import { withSession } from '../testing/sessions.fixture.js';
import { OperatorOrders } from './operator-orders.service.js';
import { keepNotes } from './operator-notes.repository.js';
import { tenantNoteSweep } from './tenant-notes.js';

let api: ControlPlane;
let own: TestDatabase;
let way: Way;
let tenant: TestTenant;
let common: Client;
/** Of another process, which reaches the tenant's own database. */
let elsewhere: Database;

beforeAll(async () => {
  own = await testDatabase();
  const owner = new Client({ connectionString: own.databaseUrl });
  await owner.connect();
  await owner.query(`update installation set database = 'own'`);
  await owner.end();
  way = await wayTo(own.databaseUrl);
  api = await startControlPlane({ runtime: true, environment: { WHARF_DEDICATED_DATABASES: `own=${way.url}` } });
  tenant = await api.newTenant();
  await settleTenant(api.databaseUrl, own.databaseUrl, tenant.id);
  common = new Client({ connectionString: api.databaseUrl });
  await common.connect();
  elsewhere = await Database.connect({
    databaseUrl: api.databaseUrl,
    masterKey: api.masterKey,
    role: 'wharf_operator',
    dedicated: { databases: new Map([['own', new Secret(own.databaseUrl)]]), poolsMax: 1 },
  });
});

afterAll(async () => {
  await Promise.all([elsewhere?.close(), common?.end()]);
  await api?.stop();
  await way?.stop();
  await own?.drop();
});

const act = (method: string, path: string, body?: object) =>
  api.send(method, `/admin/v1${path}`, { key: api.operatorKey, ...(body === undefined ? {} : { body }) });

const outcomes = async (action: string): Promise<string[]> => {
  const { body } = await act('GET', `/actions?action=${action}&tenant_id=${tenant.id}`);
  return body.actions.map(({ details }: { details: { outcome: string } }) => details.outcome);
};

/** What the tenant's own log has, oldest first. */
const recordsOf = (event: string): Promise<Array<{ actor: object; outcome: string; details: object }>> =>
  elsewhere.asTenant(tenant.id, (tx) =>
    tx.query(`select actor, target, outcome, details from audit_records where event = $1 order by at`, [event]),
  );

/** Brings every note to its log, as each process does once in a while. */
async function bringAll(): Promise<void> {
  await common.query(`update operator_notes set due_at = now()`);
  await tenantNoteSweep(elsewhere, createLogger('test', 'silent')).sweep();
}

const waiting = async (): Promise<number> => (await common.query(`select from operator_notes`)).rowCount ?? 0;

test('a tenant’s workers and sessions are ended while its own database is away, and its log says so later', async () => {
  const session = await withSession(api, tenant);
  await way.stop();
  expect((await act('POST', `/tenants/${tenant.slug}/workers/stop`, { reason: 'stuck' })).status).toBe(204);
  expect((await act('DELETE', `/tenants/${tenant.slug}/sessions/${session}?reason=stuck`)).status).toBe(204);
  expect([await outcomes('workers.stop'), await outcomes('sessions.end')]).toEqual([
    ['done', 'asked'],
    ['done', 'asked'],
  ]);
  expect([await recordsOf('tenant.workers_stopped'), await recordsOf('session.ended'), await waiting()]).toEqual([
    [],
    [],
    2,
  ]);
  await bringAll();
  const actor = { kind: 'operator', id: expect.any(String) };
  expect(await recordsOf('tenant.workers_stopped')).toEqual([
    { actor, target: `tenant:${tenant.id}`, outcome: 'ok', details: { reason: 'stuck' } },
  ]);
  expect(await recordsOf('session.ended')).toEqual([
    { actor, target: `session:${session}`, outcome: 'ok', details: { session, reason: 'stuck' } },
  ]);
  await bringAll();
  expect([(await recordsOf('session.ended')).length, await waiting()]).toEqual([1, 0]);
});

const entryOf = (reason: string) =>
  ({
    event: 'tenant.workers_stopped',
    target: `tenant:${tenant.id}`,
    details: { reason },
    actor: { kind: 'operator', id: newId() },
    sourceAddress: '192.0.2.1',
    traceId: '0'.repeat(32),
  }) as const;

test('an order that failed is on both records as failed, with why on the platform’s', async () => {
  const { rows } = await common.query(`select id from operators limit 1`);
  const act = { operatorId: rows[0].id, action: 'workers.stop', reason: 'no answer', tenantId: tenant.id };
  const orders = new OperatorOrders(elsewhere, createLogger('test', 'silent'));
  const given = orders.give({ act, tells: [{ tenantId: tenant.id, entry: entryOf('no answer') }] }, async () => {
    throw new AppError('unavailable');
  });
  await expect(given).rejects.toMatchObject({ code: 'unavailable' });
  expect((await outcomes('workers.stop')).slice(0, 2)).toEqual(['failed', 'asked']);
  await bringAll();
  expect((await recordsOf('tenant.workers_stopped')).at(-1)).toMatchObject({
    outcome: 'failed',
    details: { reason: 'no answer' },
  });
});

test('an order whose process ended before it did is in the tenant’s log as interrupted', async () => {
  const entry = entryOf('a crash');
  await elsewhere.asService((tx) => keepNotes(tx, newId(), [{ tenantId: tenant.id, entry }]));
  await elsewhere.asService((tx) => keepNotes(tx, newId(), [{ tenantId: newId(), entry }]));
  await bringAll();
  expect((await recordsOf('tenant.workers_stopped')).at(-1)).toMatchObject({
    outcome: 'interrupted',
    details: { reason: 'a crash' },
  });
  // A tenant that is gone by now is told nothing.
  expect(await waiting()).toBe(0);
});
