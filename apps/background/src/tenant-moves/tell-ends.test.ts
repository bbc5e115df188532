import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Database } from '#libs/database';
import { createLogger } from '#libs/telemetry';
import { until } from '#libs/testing';
import { MoveClock } from './move-clock.js';
import { MoveTenant } from './move-tenant.js';
import { openTwoDatabases, OWN, type TwoDatabases } from './two-databases.fixture.js';

/** Moves that are asked for and not made: however far they came, the tenant's log says so. */
let two: TwoDatabases;
let database: Database;
let moving: MoveTenant;
let clock: MoveClock;
let killedAt: string | undefined;

class Killed extends Error {}

beforeAll(async () => {
  two = await openTwoDatabases();
  const { common, dedicated } = two;
  const homes = { databases: dedicated, poolsMax: 2 };
  database = await Database.connect({ ...common, role: 'wharf_background', poolSize: 2, dedicated: homes });
  moving = new MoveTenant({
    ...common,
    dedicated,
    onStep: (step) => {
      if (step === killedAt) throw new Killed(step);
    },
  });
  clock = new MoveClock(database, moving, createLogger('background', 'silent'));
});

afterAll(async () => {
  await database?.close();
  await two?.close();
});

const signal = () => AbortSignal.timeout(120_000);
const saidOf = async (client: TwoDatabases['here'], id: string) =>
  (await client.query(`select event, actor, outcome, details from audit_records where id = $1`, [id])).rows;
const abandoned = (tier: string) => [
  {
    event: 'tenant.move_abandoned',
    actor: { kind: 'system', id: 'tenant-moves' },
    outcome: 'failed',
    details: { tier, reason: 'they pay for it' },
  },
];
const abandon = (id: string) => two.here.query(`update tenant_moves set abandoned = 'not now' where id = $1`, [id]);

async function stoppedAt(step: string, id: string): Promise<string> {
  killedAt = step;
  await expect(moving.advance(id, signal())).rejects.toThrow(Killed);
  killedAt = undefined;
  return id;
}

test('a move that fails before the tenant is closed for it is told', async () => {
  await two.there.query(`update installation set database = 'another'`);
  const failed = await two.askMove(OWN, null);
  expect([await clock.sweep(), await saidOf(two.here, failed)]).toEqual([1, abandoned('dedicated')]);
  await two.there.query(`update installation set database = $1`, [OWN]);
  const takenBack = await two.askMove(OWN, null);
  await abandon(takenBack);
  expect([await clock.sweep(), await saidOf(two.here, takenBack)]).toEqual([1, abandoned('dedicated')]);
});

test.each(['closed', 'copied', 'reopened'])('a move that is taken back once it is %s is told, once', async (step) => {
  const id = await two.askMove(OWN, null);
  await stoppedAt(step === 'reopened' ? 'copied' : step, id);
  await abandon(id);
  if (step === 'reopened') await stoppedAt(step, id);
  await clock.sweep();
  await two.here.query(`update tenant_moves set told_at = null where id = $1`, [id]);
  await clock.sweep();
  expect(await saidOf(two.here, id)).toEqual(abandoned('dedicated'));
});

test('a tenant that is on its way when it is to be told hears of it once it has arrived', async () => {
  const id = await two.askMove(OWN, null);
  await abandon(id);
  expect(await moving.advance(id, signal())).toBe('failed');
  await two.here.query(`insert into tenant_homes (tenant_id, database, state) values ($1, $2, 'leaving')`, [
    two.a,
    OWN,
  ]);
  await clock.sweep();
  expect(await saidOf(two.here, id)).toEqual([]);
  await two.here.query(`delete from tenant_homes where tenant_id = $1`, [two.a]);
  const said = await until(async () => {
    await clock.sweep();
    const rows = await saidOf(two.here, id);
    return rows.length > 0 && rows;
  }, 'the tenant to be told');
  expect(said).toEqual(abandoned('dedicated'));
});

test('a return that is taken back before the tenant’s own database was closed is told there', async () => {
  expect(await moving.advance(await two.askMove(OWN, null), signal())).toBe('done');
  for (const step of ['closed', 'compared']) {
    const id = await stoppedAt(step, await two.askMove(null, OWN));
    await two.here.query(`update tenant_moves set state = 'compared' where id = $1 and state = 'copied'`, [id]);
    await abandon(id);
    await clock.sweep();
    expect(await saidOf(two.there, id)).toEqual(abandoned('common'));
  }
  const { rows } = await two.here.query(
    `select count(*)::int as untold from tenant_moves where state = 'failed' and told_at is null`,
  );
  expect(rows).toEqual([{ untold: 0 }]);
});

test('one whose tenant is gone by then keeps no other waiting', async () => {
  const { rows } = await two.here.query(
    `insert into tenant_moves (id, tenant_id, to_database, state, reason, ended_at)
     values (gen_random_uuid(), gen_random_uuid(), 'own', 'failed', 'r', now()) returning id`,
  );
  await clock.sweep();
  const told = await two.here.query(`select told_at is not null as told from tenant_moves where id = $1`, [rows[0].id]);
  expect(told.rows).toEqual([{ told: true }]);
});
