import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { testDatabase, until, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';
import { givingWay } from './giving-way.js';

let database: TestDatabase;
let owner: Client;
let caller: Client;

beforeAll(async () => {
  database = await testDatabase();
  [owner, caller] = [0, 1].map(() => new Client({ connectionString: database.databaseUrl })) as [Client, Client];
  await Promise.all([owner.connect(), caller.connect()]);
  await owner.query('create table first (id int); create table second (id int)');
});
afterAll(async () => {
  await Promise.all([owner.end(), caller.end()]);
  await database.drop();
});

test('where a call and a migration wait for each other, the migration gives way, though the call waits for longer', async () => {
  await caller.query('begin');
  await caller.query('select from second');
  let called: Promise<unknown> = Promise.resolve();
  let tries = 0;
  await givingWay(owner, async () => {
    tries += 1;
    await owner.query('begin');
    try {
      await owner.query('alter table first add column more int');
      if (tries === 1) {
        called = caller.query('select from first').then(() => caller.query('commit'));
        const watcher = new Client({ connectionString: database.databaseUrl });
        await watcher.connect();
        await until(async () => {
          const { rows } = await watcher.query(
            `select from pg_locks where relation = 'first'::regclass and not granted`,
          );
          return rows.length > 0;
        }, 'the call to wait');
        await watcher.end();
      }
      await owner.query('alter table second add column more int');
      await owner.query('commit');
    } catch (error) {
      await owner.query('rollback');
      throw error;
    }
  });
  await expect(called).resolves.toMatchObject({ command: 'COMMIT' });
  expect(tries).toBe(2);
});

test('each tenth try waits for longer than a deadlock takes to be found, as vacuums ask for', async () => {
  const waits: string[] = [];
  await givingWay(owner, async () => {
    const { rows } = await owner.query('show lock_timeout');
    waits.push(rows[0].lock_timeout);
    if (waits.length < 11) throw Object.assign(new Error('held'), { code: '55P03' });
  });
  expect(waits).toEqual([...Array.from({ length: 9 }, () => '250ms'), '5s', '250ms']);
  const { rows } = await owner.query('show lock_timeout');
  expect(rows).toEqual([{ lock_timeout: '0' }]);
});

test('a role that may not set how soon it looks for a deadlock gives way all the same', async () => {
  await caller.query('set role wharf_gateway');
  const looks = await givingWay(caller, () => caller.query('show deadlock_timeout'));
  const soon = await givingWay(owner, () => owner.query('show deadlock_timeout'));
  expect([...looks.rows, ...soon.rows]).toEqual([{ deadlock_timeout: '1s' }, { deadlock_timeout: '10ms' }]);
});
