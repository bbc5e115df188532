import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';
import { migrate } from './migrate.js';

let database: TestDatabase;
let owner: Client;

beforeAll(async () => {
  database = await testDatabase();
  owner = new Client({ connectionString: database.databaseUrl });
  await owner.connect();
});
afterAll(async () => {
  await owner.end();
  await database.drop();
});

/** What `analyze` finds out of the records of a month, by partition. */
async function analyzedColumns(): Promise<Map<string, string[]>> {
  const { rows } = await owner.query<{ name: string; columns: string[] }>(
    `select c.relname as name, array_agg(a.attname::text order by a.attnum) as columns
     from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_attribute a on a.attrelid = c.oid
     where i.inhparent = 'audit_log'::regclass and a.attnum > 0 and a.attstattarget is distinct from 0 group by c.relname`,
  );
  return new Map(rows.map(({ name, columns }) => [name, columns]));
}

test('statistics are kept of columns alone that records are found by, in every month and in what is before them', async () => {
  const looked = await analyzedColumns();
  expect(looked.size).toBeGreaterThan(12);
  for (const columns of looked.values())
    expect(columns).toEqual(['tenant_id', 'id', 'leaf_index', 'at', 'event', 'target', 'outcome']);
});

test('a month that a former release provided gets the same when the schema is next looked after', async () => {
  await owner.query(`alter table audit_log_before alter column details set statistics -1`);
  await migrate(database.databaseUrl, database.masterKey);
  expect((await analyzedColumns()).get('audit_log_before')).not.toContain('details');
});
