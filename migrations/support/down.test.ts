import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { emptyDatabase, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';
import { DataSource } from 'typeorm';
import { MIGRATIONS } from '../all.js';
import { migrate, MIGRATION_NAMES } from './migrate.js';
import { schemaOf } from './schema.fixture.js';

/** The first migration that is taken back here: with it a tenant's rows could be in a database of its own. */
const FIRST = 'TenantHomes1763950000000';
const EARLIER = MIGRATION_NAMES.slice(0, MIGRATION_NAMES.indexOf(FIRST));
let database: TestDatabase;
let owner: Client;

beforeAll(async () => {
  database = await emptyDatabase();
  owner = new Client({ connectionString: database.databaseUrl });
  await owner.connect();
});

afterAll(async () => {
  await owner?.end();
  await database?.drop();
});

/** Takes migrations back, the newest first; returns which. */
async function takeBack(count: number): Promise<string[]> {
  const source = new DataSource({ type: 'postgres', url: database.databaseUrl, migrations: MIGRATIONS });
  await source.initialize();
  const names: string[] = [];
  try {
    for (let left = count; left > 0; left -= 1) {
      const [row]: Array<{ name: string }> = await source.query(`select name from migrations order by id desc limit 1`);
      names.push(row?.name ?? '');
      await source.undoLastMigration({ transaction: 'each' });
    }
    return names;
  } finally {
    await source.destroy();
  }
}

test('each migration since tenants have homes is taken back, which leaves the schema of before, and done again', async () => {
  await migrate(database.databaseUrl, database.masterKey, { only: EARLIER });
  const before = await schemaOf(owner);
  const done = await migrate(database.databaseUrl, database.masterKey);
  expect(done[0]).toBe(FIRST);
  const whole = await schemaOf(owner);
  expect(whole.length).toBeGreaterThan(before.length);
  expect(await takeBack(done.length)).toEqual(done.toReversed());
  expect(await schemaOf(owner)).toEqual(before);
  expect(await migrate(database.databaseUrl, database.masterKey)).toEqual(done);
  expect(await schemaOf(owner)).toEqual(whole);
});
