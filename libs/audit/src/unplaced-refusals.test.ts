import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Database } from '#libs/database';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';
import { UnplacedRefusals } from './index.js';

let store: TestDatabase;
let owner: Client;
let gateway: Database;

beforeAll(async () => {
  store = await testDatabase();
  gateway = await Database.connect({ ...store, role: 'wharf_gateway', poolSize: 1 });
  owner = new Client({ connectionString: store.databaseUrl });
  await owner.connect();
});

afterAll(async () => {
  await gateway?.close();
  await owner?.end();
  await store?.drop();
});

interface Told {
  readonly service: string;
  readonly refusals: ReadonlyArray<{
    readonly rule: string;
    readonly count: number;
    readonly addresses: readonly string[];
    readonly more_addresses: boolean;
  }>;
}

async function told(): Promise<Told[]> {
  const { rows } = await owner.query<{ details: Told }>(
    `select a.details from operator_actions a join operators o on o.id = a.operator_id
     where a.action = 'refusals.counted' and o.name = 'Wharf itself' order by a.at`,
  );
  return rows.map(({ details }) => details);
}

test('thousands of refusals by any number of rules and addresses are one bounded record, and each is counted', async () => {
  const failures: unknown[] = [];
  let away = true;
  const unplaced = new UnplacedRefusals({
    database: {
      asService: async (work) => {
        if (away) throw new Error('away');
        return gateway.asService(work);
      },
    },
    logger: { warn: (details) => failures.push(details) },
  });
  for (let at = 0; at < 5_000; at += 1) unplaced.note(`rule-${at % 100}`, `192.0.2.${at % 200}`);
  await unplaced.stop();
  expect([failures.length, await told()]).toEqual([1, []]);
  for (let at = 0; at < 1_000; at += 1) unplaced.note(`later-${at}`, `198.51.100.${at % 200}`);
  await unplaced.stop();
  expect([failures.length, await told()]).toEqual([2, []]);
  away = false;
  unplaced.note('rule-0', 'x'.repeat(1_000));
  await unplaced.stop();
  const [record, ...more] = await told();
  expect(more).toEqual([]);
  expect(record).toMatchObject({ service: 'wharf_gateway' });
  const refusals = record?.refusals ?? [];
  expect(refusals.length).toBeLessThanOrEqual(64);
  expect(refusals.reduce((sum, { count }) => sum + count, 0)).toBe(6_001);
  const other = refusals.find(({ rule }) => rule === 'other');
  expect([other?.addresses.length, other?.more_addresses]).toEqual([10, true]);
  expect(JSON.stringify(record).length).toBeLessThan(65_536);
});

test('a service can say what it refused and nothing else, as nobody else and at no other time', async () => {
  const insert = (columns: string, values: string) =>
    gateway.asService((tx) => tx.query(`insert into operator_actions (${columns}) values (${values})`));
  await expect(insert('action, reason', `'tenants.suspend', 'forged'`)).rejects.toThrow(/only say what it refused/);
  const huge = `jsonb_build_object('x', repeat('x', 70000))`;
  await expect(insert('action, reason, details', `'refusals.counted', 'no tenant', ${huge}`)).rejects.toThrow(/64 KiB/);
  for (const [column, value] of [
    ['operator_id', `gen_random_uuid()`],
    ['at', `'2020-01-01'`],
  ])
    await expect(insert(`action, reason, ${column}`, `'refusals.counted', 'r', ${value}`)).rejects.toThrow(
      /permission denied/,
    );
  await expect(gateway.asService((tx) => tx.query('select from operator_actions'))).rejects.toThrow(
    /permission denied/,
  );
});
