import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { emptyDatabase, testDatabase, type TestDatabase } from '#libs/testing';
import { migrate, MIGRATION_NAMES } from '#migrations';
import { Client } from 'pg';
import { backUp } from '../backup/backup.js';
import { HalfRestoredError } from '../backup/backup-error.js';
import { writeKeys } from '../backup/key-files.js';
import { readRestorable, restore } from './restore.js';

const run = promisify(execFile);
const NO_SUCH_CHECKPOINT = { tenant: null, size: '4711', root: 'none' };
const ANOTHER_KEY = 'YW5vdGhlci1tYXN0ZXIta2V5LW9mLTMyLWJ5dGVzLi4=';

let source: TestDatabase;
let target: TestDatabase;
let folder: string;

beforeAll(async () => void (source = await testDatabase()));
afterAll(() => source.drop());

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'wharf-restore-'));
  target = await emptyDatabase();
});

afterEach(async () => {
  rmSync(folder, { recursive: true });
  await target.drop();
});

async function query({ databaseUrl }: TestDatabase, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

const below = (name: string): string => path.join(folder, name);
const bring = async (from: string): Promise<void> => {
  const content = await readRestorable(below(from), source.masterKey);
  await restore({ databaseUrl: target.databaseUrl, masterKey: source.masterKey, folder: below(from) }, content);
};

/** The command as an operator types it, with a data folder that is not there yet. */
async function command(options: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const { PATH = '', HOME = '' } = process.env;
  const env = { PATH, HOME, WHARF_DATA_DIR: below('data'), ...environment };
  return run(process.execPath, [path.resolve('dist/apps/local/src/restore/main.js'), ...options], { env }).then(
    () => ({ code: 0, stderr: '' }),
    ({ code, stderr }: { code: number; stderr: string }) => ({ code, stderr }),
  );
}

test.each([
  ['no key', [], {}, /No master key is given: name the folder that `--keys-to` wrote with `--keys-from`/],
  [
    'another key',
    [],
    { WHARF_MASTER_KEY: ANOTHER_KEY },
    /was made under the master key \w{16}, the given one is \w{16}/,
  ],
  [
    'a folder without keys',
    ['--keys-from', 'none'],
    {},
    /holds no master\.key; name the folder that `--keys-to` wrote/,
  ],
])(
  'with %s the command makes no data folder, says so, and leaves the right one to be tried next',
  async (_what, options, environment, sentence) => {
    await backUp({ ...source, folder: below('b') });
    const refused = await command(['--from', below('b'), ...options], environment);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(sentence) });
    expect(refused.stderr).toMatch(/Nothing was restored; the database is as it was\.\n$/);
    expect(existsSync(below('data'))).toBe(false);
  },
);

test('a damaged backup is refused before the kept keys are put anywhere', async () => {
  await backUp({ ...source, folder: below('b') });
  await writeKeys(below('keys'), below('b'), { masterKey: source.masterKey, intakeKey: undefined });
  rmSync(path.join(below('b'), 'plans.copy.gz.sealed'));
  const refused = await command(['--from', below('b'), '--keys-from', below('keys')]);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/plans\.copy\.gz\.sealed cannot be read/) });
  expect(existsSync(below('data'))).toBe(false);
});

test.each([
  ['a view', `create view theirs as select 1 as one`, `select one as kept from theirs`],
  ['a function', `create function theirs() returns int language sql as 'select 1'`, `select theirs() as kept`],
])('a database that holds %s of somebody else’s is left alone', async (_what, make, look) => {
  await backUp({ ...source, folder: below('b') });
  await query(target, make);
  await expect(bring('b')).rejects.toThrow(/holds .* of somebody else's; name an empty database/);
  expect(await query(target, look)).toEqual([{ kept: 1 }]);
});

test('an extension that was installed before is no obstacle, and is there again where the restore fails', async () => {
  await backUp({ ...source, folder: below('b') });
  await query(target, `create extension btree_gin`);
  const content = await readRestorable(below('b'), source.masterKey);
  const [first] = content.checkpoints;
  const other = { ...content, checkpoints: first === undefined ? [NO_SUCH_CHECKPOINT] : [] };
  const into = { databaseUrl: target.databaseUrl, masterKey: source.masterKey, folder: below('b') };
  await expect(restore(into, other)).rejects.toThrow(/is not what the backup lists; nothing was kept/);
  const kept = `select extname from pg_extension where extnamespace = 'public'::regnamespace`;
  expect(await query(target, kept)).toEqual([{ extname: 'btree_gin' }]);
  const tables = `select from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')`;
  expect(await query(target, tables)).toEqual([]);
  await restore(into, content);
  expect(await query(target, tables)).not.toEqual([]);
});

test('a schema that cannot be brought up to date leaves the rows restored, and says what is left to do', async () => {
  const old = await emptyDatabase();
  const only = MIGRATION_NAMES.slice(0, MIGRATION_NAMES.indexOf('OperatorNetworks1763958100000'));
  await migrate(old.databaseUrl, old.masterKey, { only });
  await backUp({ ...old, folder: below('old') });
  const plans = await query(old, `select name from plans order by name`);
  await migrate(target.databaseUrl, target.masterKey, { only });
  await query(target, `delete from plans`);
  await query(target, `create table operator_networks as select 1 as theirs`);
  const failed = bring('old');
  await expect(failed).rejects.toThrow(HalfRestoredError);
  await expect(failed).rejects.toThrow(/Every row is restored, .*operator_networks.*run `npm run migrate`/s);
  expect(await query(target, `select name from plans order by name`)).toEqual(plans);
  // What was there beside our tables is as it was.
  expect(await query(target, `select theirs from operator_networks`)).toEqual([{ theirs: 1 }]);
  await old.drop();
});
