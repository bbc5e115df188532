import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Database, newId } from '#libs/database';
import { createLogger } from '#libs/telemetry';
import { MoveTenant } from '../tenant-moves/move-tenant.js';
import { openTwoDatabases, OWN, type TwoDatabases } from '../tenant-moves/two-databases.fixture.js';
import { DeletionClock } from './deletion-clock.js';
import { askReturn } from './deletions.repository.js';

/** A tenant in a database of its own, whose deletion is due. */
let two: TwoDatabases;
let database: Database;
let moving: MoveTenant;
let clock: DeletionClock;
const deleted: string[] = [];

beforeAll(async () => {
  two = await openTwoDatabases();
  const { common, dedicated, there, a } = two;
  moving = new MoveTenant({ ...common, dedicated });
  expect(await moving.advance(await two.askMove(OWN, null), signal())).toBe('done');
  await there.query(
    `insert into tenant_deletions (tenant_id, id, slug, reason, requested_by, due_at, status_before)
     values ($1, $2, 'tenant-a', 'gone', '{}', now() - interval '1 day', 'active')`,
    [a, newId()],
  );
  const homes = { databases: dedicated, poolsMax: 2 };
  database = await Database.connect({ ...common, role: 'wharf_life_cycle', poolSize: 2, dedicated: homes });
  const deleting = {
    advance: async (tenantId: string) => {
      deleted.push(tenantId);
      return 'gone' as const;
    },
  };
  clock = new DeletionClock(database, deleting, createLogger('background', 'silent'));
});
afterAll(async () => {
  await database?.close();
  await two?.close();
});

const signal = () => AbortSignal.timeout(120_000);
const openMoves = async (): Promise<Array<{ id: string; from_database: string; requested_by: string | null }>> =>
  (
    await two.here.query(
      `select id, from_database, requested_by from tenant_moves where state not in ('done', 'failed')`,
    )
  ).rows;

test('stays there while a legal hold keeps it', async () => {
  expect(await clock.sweep()).toBe(0);
  expect(await openMoves()).toEqual([]);
  await two.there.query(`delete from legal_holds where tenant_id = $1`, [two.a]);
});

test('is moved to the common database without anybody’s word, once, and deleted there', async () => {
  expect([await clock.sweep(), await clock.sweep()]).toEqual([0, 0]);
  const moves = await openMoves();
  expect(moves).toEqual([{ id: expect.any(String), from_database: OWN, requested_by: null }]);
  expect(deleted).toEqual([]);
  expect(await moving.advance(moves[0]?.id ?? '', signal())).toBe('done');
  expect([await clock.sweep(), deleted]).toEqual([1, [two.a]]);
  const { rows } = await two.here.query(
    `select actor from audit_records where tenant_id = $1 and event = 'tenant.moved' order by at desc limit 1`,
    [two.a],
  );
  expect(rows).toEqual([{ actor: { kind: 'system', id: 'tenant-deletion' } }]);
});

test('a return that failed is asked for again after an hour', async () => {
  const { here, a } = two;
  await here.query(`insert into tenant_homes (tenant_id, database, state) values ($1, $2, 'dedicated')`, [a, OWN]);
  const ask = () => database.asService((tx) => askReturn(tx, a));
  expect([await ask(), await ask()]).toEqual([true, false]);
  await here.query(`update tenant_moves set state = 'failed', ended_at = now() where state = 'waiting'`);
  expect(await ask()).toBe(false);
  await here.query(`update tenant_moves set ended_at = now() - interval '61 minutes' where state = 'failed'`);
  expect(await ask()).toBe(true);
});
