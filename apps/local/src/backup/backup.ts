import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Client } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { ringOf, type Secret } from '#libs/config';
import { deriveKey, masterKeyId } from '#libs/secrets';
import { MIGRATION_NAMES } from '#migrations';
import { BackupError } from './backup-error.js';
import { describeContents } from './contents.js';
import { writeManifest, type Manifest, type SealedTable } from './manifest.js';
import { writeSealed } from './sealed-file.js';
import { asOwner, listTables, migrationsOf, quoted, type Table } from './tables.js';

/** What to back up, and where to. */
export interface BackupOptions {
  readonly databaseUrl: string;
  readonly masterKey: Secret;
  /** Made where it is missing; must be empty. */
  readonly folder: string;
  /** Told the name of each table when it is written. */
  readonly onTable?: (table: SealedTable) => void;
}

/** The key of one backup's files: the master key and the backup's own salt give it, so neither alone opens anything. */
export function keyOf(masterKey: Secret, salt: string): Buffer {
  return deriveKey(masterKey, `backup:${salt}`);
}

async function provideEmptyFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found = await readdir(folder);
  if (found.length > 0)
    throw new BackupError(`${folder} is not empty; name a new folder, so that no backup is overwritten.`);
}

/** All that is read is read as it was at one moment, past row-level security or not at all. */
async function beginSnapshot(client: Client): Promise<void> {
  await client.query('begin transaction isolation level repeatable read read only');
  await client.query(`set local row_security = off`);
  await client.query(`set local statement_timeout = 0`);
}

async function refuseUnknownSchema(client: Client): Promise<string[]> {
  const names = await migrationsOf(client);
  if (names.length === 0) throw new BackupError('This database holds no Wharf; check DATABASE_URL.');
  const unknown = names.filter((name) => !MIGRATION_NAMES.includes(name));
  if (unknown.length > 0) {
    throw new BackupError(
      `The database has the schema of a newer version (${unknown.join(', ')}); make the backup with that version.`,
    );
  }
  return names;
}

async function refuseForeignKey(client: Client, masterKey: Secret): Promise<void> {
  const ids = await masterKeysInUse(client);
  const given = ringOf(masterKey).map(masterKeyId);
  if (ids.some((id) => !given.includes(id))) {
    throw new BackupError(
      'WHARF_MASTER_KEY is not the key of this database; a backup under it could never be used. Set the right one.',
    );
  }
}

/** Ids of the master keys that rows may be sealed under; a schema of before they could be replaced has one. */
async function masterKeysInUse(client: Client): Promise<string[]> {
  const { rows: known } = await client.query(`select from pg_class where oid = to_regclass('public.master_keys')`);
  const sql =
    known.length > 0
      ? `select id from master_keys where left_at is null order by id`
      : `select master_key_id as id from installation`;
  return (await client.query<{ id: string }>(sql)).rows.map(({ id }) => id);
}

/** PostgreSQL refuses to leave rows out in silence (`row_security = off`); its text does not say what to do. */
function explain(error: unknown): BackupError {
  if (error instanceof BackupError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const held = text.includes('row-level security') || text.includes('permission denied');
  const advice = held ? ' Back up as a superuser or a role with BYPASSRLS, which sees every row.' : '';
  return new BackupError(`The backup could not be made, and what was written of it is gone: ${text}.${advice}`, {
    cause: error,
  });
}

async function sealTable(client: Client, key: Buffer, folder: string, table: Table): Promise<SealedTable> {
  const columns = table.columns.map(quoted).join(', ');
  const copy = client.query(copyTo(`copy (select ${columns} from ${quoted(table.name)}) to stdout`));
  const file = `${table.name}.copy.gz.sealed`;
  const seal = await writeSealed(path.join(folder, file), key, table.name, copy);
  return { name: table.name, columns: [...table.columns], file, rows: copy.rowCount, ...seal };
}

async function readSequences(client: Client): Promise<Manifest['sequences']> {
  const { rows } = await client.query<Manifest['sequences'][number]>(
    `select sequencename as name, last_value::text from pg_sequences
     where schemaname = 'public' and sequencename <> 'migrations_id_seq' order by 1`,
  );
  return rows;
}

/** Reads everything at one moment: the tables' rows into files, the rest for the manifest. */
async function sealSnapshot(client: Client, options: BackupOptions, migrations: string[]): Promise<Manifest> {
  const { masterKey, folder, onTable } = options;
  const salt = randomBytes(16).toString('hex');
  await beginSnapshot(client);
  const madeAt = new Date().toISOString();
  const { rows } = await client.query<{ server_version: string }>(`show server_version`);
  const tables: SealedTable[] = [];
  for (const table of await listTables(client)) {
    const sealed = await sealTable(client, keyOf(masterKey, salt), folder, table);
    onTable?.(sealed);
    tables.push(sealed);
  }
  return {
    format: 1,
    made_at: madeAt,
    postgres: rows[0]?.server_version ?? '',
    master_key_id: masterKeyId(masterKey),
    other_master_key_ids: (await masterKeysInUse(client)).filter((id) => id !== masterKeyId(masterKey)),
    salt,
    migrations,
    tables,
    sequences: await readSequences(client),
    ...(await describeContents(client)),
  };
}

/**
 * Writes everything that PostgreSQL holds into a folder: one sealed file a table, all of the same moment, and a
 * manifest with their hashes. Nobody is kept from working meanwhile. The keys are not in it.
 * @throws BackupError, and leaves nothing behind
 */
export async function backUp(options: BackupOptions): Promise<Manifest> {
  const { databaseUrl, masterKey, folder } = options;
  return asOwner(databaseUrl, 'wharf:backup', async (client) => {
    const migrations = await refuseUnknownSchema(client).catch((error: unknown) => {
      throw explain(error);
    });
    await refuseForeignKey(client, masterKey);
    await provideEmptyFolder(folder);
    try {
      const content = await sealSnapshot(client, options, migrations);
      await writeManifest(folder, masterKey, content);
      return content;
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw explain(error);
    }
  });
}
