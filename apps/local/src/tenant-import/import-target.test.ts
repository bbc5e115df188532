import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { openDataFolder } from '#libs/embedded';
import { emptyDatabase, type TestDatabase } from '#libs/testing';
import { migrate, MIGRATION_NAMES } from '#migrations';
import { noteFolder, withSchema } from './import-target.js';

let store: TestDatabase;
let folder: string;

beforeEach(async () => {
  store = await emptyDatabase();
  folder = mkdtempSync(path.join(tmpdir(), 'wharf-import-'));
});

afterEach(async () => {
  rmSync(folder, { recursive: true });
  await store.drop();
});

async function query(sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: store.databaseUrl });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

const TABLES = `select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')`;

test('an empty database gets the schema first, and keeps it with what was done', async () => {
  expect(await withSchema(store, () => query(`select slug from tenants`))).toEqual([]);
  expect(await query(`select from migrations`)).toHaveLength(MIGRATION_NAMES.length);
});

test('an empty database is empty again where the import fails, and can be tried again', async () => {
  const refused = withSchema(store, () => Promise.reject(new Error('This is not the passphrase')));
  await expect(refused).rejects.toThrow('This is not the passphrase');
  expect(await query(TABLES)).toEqual([]);
  await expect(withSchema(store, async () => 'in')).resolves.toBe('in');
});

test('a database that somebody has begun to use meanwhile is not emptied', async () => {
  const refused = withSchema(store, async () => {
    await query(`insert into tenants (id, slug, name) values (gen_random_uuid(), 'theirs', 'Theirs')`);
    throw new Error('refused');
  });
  await expect(refused).rejects.toThrow('refused');
  expect(await query(`select slug from tenants`)).toEqual([{ slug: 'theirs' }]);
});

test('a database of an earlier version is refused with what to do, and stays as it is', async () => {
  await migrate(store.databaseUrl, store.masterKey, { only: MIGRATION_NAMES.slice(0, -1) });
  const work = withSchema(store, async () => 'in');
  await expect(work).rejects.toThrow(/1 of its migrations have not run.*npm run migrate/);
  expect(await query(`select from migrations`)).toHaveLength(MIGRATION_NAMES.length - 1);
});

test('a data folder that somebody uses by now is left to them', () => {
  const theirs = path.join(folder, 'theirs');
  const undo = noteFolder(theirs);
  const held = openDataFolder(theirs);
  writeFileSync(path.join(theirs, 'operator.key'), 'made');
  undo();
  expect(existsSync(path.join(theirs, 'operator.key'))).toBe(true);
  held.release();
});

test('a data folder is as it was found: gone where it was not there, and with all that was in it where it was', () => {
  const missing = path.join(folder, 'new');
  const undoMissing = noteFolder(missing);
  mkdirSync(path.join(missing, 'postgres'), { recursive: true });
  writeFileSync(path.join(missing, 'postgres', 'file'), 'x');
  undoMissing();
  expect(existsSync(missing)).toBe(false);
  const own = path.join(folder, 'own');
  mkdirSync(path.join(own, 'keys'), { recursive: true });
  writeFileSync(path.join(own, 'keys', 'master.key'), 'mine');
  const undoOwn = noteFolder(own);
  mkdirSync(path.join(own, 'postgres'));
  writeFileSync(path.join(own, 'keys', 'intake.key'), 'made');
  undoOwn();
  expect([readdirSync(own), readdirSync(path.join(own, 'keys'))]).toEqual([['keys'], ['master.key']]);
});
