import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, afterEach, expect, test } from '@jest/globals';
import { appendAudit } from '#libs/audit';
import { Secret } from '#libs/config';
import { Database, newId, urlForRole } from '#libs/database';
import { TenantVault } from '#libs/secrets';
import { emptyDatabase, testDatabase, type TestDatabase } from '#libs/testing';
import { migrate, MIGRATION_NAMES } from '#migrations';
import { Client } from 'pg';
import { backUp } from './backup.js';
import { adoptKeys, readMasterKey, writeKeys } from './key-files.js';
import { readManifest, writeManifest } from './manifest.js';
import { readRestorable, restore } from '../restore/restore.js';

const SECRET = 'SECRET-kept-4711';
const LONG_AGO = new Date(Date.now() - 200 * 86_400_000);

let source: TestDatabase;
let tenantId: string;
let folder: string;
let target: TestDatabase;

beforeAll(async () => {
  source = await testDatabase();
  tenantId = newId();
  const database = await Database.connect({ ...source, role: 'wharf_control' });
  await database.asTenant(tenantId, async (tx) => {
    await tx.query(`insert into tenants (id, slug, name) values ($1, 'kept', 'Kept \\ "quoted" ☃')`, [tenantId]);
    await new TenantVault(source.masterKey).writeSecret(tx, tenantId, 'token', SECRET);
    await appendAudit(tx, tenantId, [
      {
        event: 'tenant.created',
        actor: { kind: 'anonymous' },
        target: 'tenant:kept',
        outcome: 'ok',
        details: { slug: 'kept' },
      },
    ]);
  });
  await database.close();
  await query(source, `update tenants set created_at = $1`, [LONG_AGO]);
});

afterAll(() => source.drop());

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'wharf-backup-'));
  target = await emptyDatabase();
});

afterEach(async () => {
  rmSync(folder, { recursive: true });
  await target.drop();
});

async function query({ databaseUrl }: TestDatabase, sql: string, values: unknown[] = []) {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query(sql, values)).rows;
  } finally {
    await client.end();
  }
}

const tablesOf = async (database: TestDatabase): Promise<number> =>
  (await query(database, `select count(*)::int as n from pg_class where relnamespace = 'public'::regnamespace`))[0].n;

const make = (to = 'b') => backUp({ ...source, folder: path.join(folder, to) });
const bring = async (from = 'b', masterKey = source.masterKey, databaseUrl = target.databaseUrl) => {
  const whole = path.join(folder, from);
  await restore({ databaseUrl, masterKey, folder: whole }, await readRestorable(whole, masterKey));
};

test('what is restored is every row as it was, readable by its tenant alone, with a record that it happened', async () => {
  const { tables } = await make();
  await bring();
  const counts = new Map(tables.map(({ name, rows }) => [name, rows]));
  expect(counts.get('tenants')).toBe(1);
  const tenants = await query(target, `select * from tenants`);
  expect(tenants).toEqual(await query(source, `select * from tenants`));
  const database = await Database.connect({ ...target, role: 'wharf_control' });
  const secrets = await database.asTenant(tenantId, (tx) =>
    new TenantVault(target.masterKey).readSecrets(tx, tenantId),
  );
  expect(secrets.get('token')?.value).toBe(SECRET);
  expect(await database.asTenant(newId(), (tx) => tx.query(`select * from secrets`))).toEqual([]);
  await database.close();
  const events = await query(target, `select event from audit_records order by id`);
  expect(events.map(({ event }) => event)).toEqual(['tenant.created', 'installation.restored']);
  const acts = await query(target, `select action from operator_actions`);
  expect(acts).toEqual([{ action: 'installation.restore' }]);
  await expect(query(target, `delete from operator_actions`)).rejects.toThrow(/append|change/);
});

test('no file of a backup shows a name or a secret', async () => {
  await make();
  const files = readdirSync(path.join(folder, 'b'));
  expect(files.length).toBeGreaterThan(60);
  for (const file of files) {
    const bytes = readFileSync(path.join(folder, 'b', file));
    expect(bytes.includes('quoted')).toBe(false);
    expect(bytes.includes(source.masterKey.reveal())).toBe(false);
  }
});

test.each([
  ['a changed table', 'tenants.copy.gz.sealed', /tenants\.copy\.gz\.sealed is not as it was written.*another copy/],
  ['a changed manifest', 'backup.json', /was changed after the backup was made/],
])('%s is refused and nothing is changed', async (_what, file, sentence) => {
  await make();
  appendFileSync(path.join(folder, 'b', file), ' ');
  await expect(bring()).rejects.toThrow(sentence);
  expect(await tablesOf(target)).toBe(0);
});

test('a missing table, a broken-off backup and a folder of something else are refused', async () => {
  await make();
  rmSync(path.join(folder, 'b', 'accounts.copy.gz.sealed'));
  await expect(bring()).rejects.toThrow(/accounts\.copy\.gz\.sealed cannot be read/);
  rmSync(path.join(folder, 'b', 'backup.json'));
  await expect(bring()).rejects.toThrow(/holds no backup\.json: it is no backup, or one that was broken off/);
  await expect(bring('nowhere')).rejects.toThrow(/holds no backup\.json/);
  expect(await tablesOf(target)).toBe(0);
});

test('another master key is refused, with the name of the one that is needed', async () => {
  const { master_key_id: id } = await make();
  await expect(bring('b', new Secret('another-master-key-of-enough-length-0123456789'))).rejects.toThrow(
    new RegExp(`made under the master key ${id}.*set WHARF_MASTER_KEY`),
  );
  expect(await tablesOf(target)).toBe(0);
});

test('a backup is not made under a key that is not the database’s', async () => {
  const masterKey = new Secret('another-master-key-of-enough-length-0123456789');
  await expect(backUp({ ...source, masterKey, folder: path.join(folder, 'b') })).rejects.toThrow(/not the key/);
  expect(readdirSync(folder)).toEqual([]);
});

test('a newer schema is refused, in the backup and in the database', async () => {
  const newer = await testDatabase();
  await query(newer, `insert into migrations ("timestamp", name) values (9999999999999, 'Future9999999999999')`);
  await expect(backUp({ ...newer, folder: path.join(folder, 'n') })).rejects.toThrow(
    /newer version \(Future9999999999999\)/,
  );
  await newer.drop();
  await make();
  const content = await readManifest(path.join(folder, 'b'), source.masterKey);
  mkdirSync(path.join(folder, 'newer'));
  const migrations = [...content.migrations, 'Future9999999999999'];
  await writeManifest(path.join(folder, 'newer'), source.masterKey, { ...content, migrations });
  await expect(bring('newer')).rejects.toThrow(/newer version \(Future9999999999999\); restore it with that version/);
  expect(await tablesOf(target)).toBe(0);
});

test('a database in use, one of half the migrations and one of somebody else are left alone', async () => {
  await make();
  await bring();
  await expect(bring()).rejects.toThrow(/holds tenants, which a restore would overwrite/);
  const half = await emptyDatabase();
  await migrate(half.databaseUrl, half.masterKey, { only: MIGRATION_NAMES.slice(0, -3) });
  const into = (database: TestDatabase) => bring('b', database.masterKey, database.databaseUrl);
  const before = await tablesOf(half);
  await expect(into(half)).rejects.toThrow(/is not empty, and its schema/);
  expect(await tablesOf(half)).toBe(before);
  await half.drop();
  const foreign = await emptyDatabase();
  await query(foreign, `create table theirs (id int)`);
  await expect(into(foreign)).rejects.toThrow(/is not empty/);
  expect(await tablesOf(foreign)).toBe(1);
  await foreign.drop();
});

test('a backup of an older schema is restored and brought to this version’s', async () => {
  const old = await emptyDatabase();
  await migrate(old.databaseUrl, old.masterKey, { only: MIGRATION_NAMES.slice(0, -2) });
  const { migrations } = await backUp({ ...old, folder: path.join(folder, 'old') });
  expect(migrations.length).toBe(MIGRATION_NAMES.length - 2);
  await bring('old');
  const present = await query(target, `select count(*)::int as n from migrations`);
  expect(present).toEqual([{ n: MIGRATION_NAMES.length }]);
  await old.drop();
});

test('a freshly migrated database without tenants takes a backup', async () => {
  await make();
  await migrate(target.databaseUrl, target.masterKey);
  await bring();
  expect(await query(target, `select slug from tenants`)).toEqual([{ slug: 'kept' }]);
});

test('a role that row-level security holds makes no backup, rather than one with rows left out', async () => {
  const databaseUrl = urlForRole(source.databaseUrl, 'wharf_control', source.masterKey);
  const asService = backUp({ ...source, databaseUrl, folder: path.join(folder, 'b') });
  await expect(asService).rejects.toThrow(/superuser or a role with BYPASSRLS/);
  expect(readdirSync(folder)).toEqual([]);
});

test('a folder that holds something is not written to', async () => {
  writeFileSync(path.join(folder, 'note'), 'mine');
  await expect(backUp({ ...source, folder })).rejects.toThrow(/is not empty; name a new folder/);
  expect(readdirSync(folder)).toEqual(['note']);
});

test('keys go to a folder of their own and come back from it', async () => {
  const [kept, data] = [path.join(folder, 'keys'), path.join(folder, 'data')];
  const keys = { masterKey: source.masterKey, intakeKey: new Secret('i'.repeat(43)) };
  await expect(writeKeys(path.join(folder, 'b', 'keys'), path.join(folder, 'b'), keys)).rejects.toThrow(/inside/);
  await writeKeys(kept, path.join(folder, 'b'), keys);
  await expect(writeKeys(kept, path.join(folder, 'b'), keys)).rejects.toThrow(/holds keys already/);
  expect((await readMasterKey(kept)).reveal()).toBe(source.masterKey.reveal());
  await adoptKeys(kept, data);
  await adoptKeys(kept, data);
  expect(readFileSync(path.join(data, 'keys', 'intake.key'), 'utf8').trim()).toBe('i'.repeat(43));
  writeFileSync(path.join(kept, 'master.key'), `${randomBytes(32).toString('base64url')}\n`);
  await expect(adoptKeys(kept, data)).rejects.toThrow(/belongs to another master key/);
});
