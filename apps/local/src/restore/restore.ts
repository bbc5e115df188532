import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Client } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { Secret } from '#libs/config';
import { migrate, MIGRATION_NAMES } from '#migrations';
import { keyOf } from '../backup/backup.js';
import { BackupError, HalfRestoredError } from '../backup/backup-error.js';
import { describeContents } from '../backup/contents.js';
import { keyOfBackup, readManifest, type Manifest, type SealedTable } from '../backup/manifest.js';
import { recordRestore } from './record-restore.js';
import { isWhole, readSealed } from '../backup/sealed-file.js';
import { emptyAgain, refuseTargetInUse } from './restore-target.js';
import { asOwner, listTables, quoted } from '../backup/tables.js';

/** What to restore, and where to. */
export interface RestoreOptions {
  readonly databaseUrl: string;
  readonly masterKey: Secret;
  readonly folder: string;
  /** Told each table when its rows are back. */
  readonly onTable?: (table: SealedTable) => void;
}

/** Every file is read to its end before anything is changed. */
async function refuseCorrupt(folder: string, content: Manifest): Promise<void> {
  for (const table of content.tables) {
    const file = path.join(folder, table.file);
    const whole = await isWhole(file, table).catch((error: unknown) => {
      throw new BackupError(`${file} cannot be read; restore another copy of the backup.`, { cause: error });
    });
    if (!whole) throw new BackupError(`${file} is not as it was written (its SHA-256 differs); restore another copy.`);
  }
}

function refuseNewerSchema({ migrations }: Manifest): void {
  const unknown = migrations.filter((name) => !MIGRATION_NAMES.includes(name));
  if (unknown.length > 0) {
    throw new BackupError(
      `The backup has the schema of a newer version (${unknown.join(', ')}); restore it with that version or a later one.`,
    );
  }
}

/** Rows come in without triggers and in any order; what they say of each other was true when they were read. */
async function beginUnchecked(client: Client): Promise<void> {
  await client.query('begin');
  await client.query('set local statement_timeout = 0');
  await client.query('set local row_security = off');
  try {
    await client.query(`set local session_replication_role = replica`);
  } catch (error) {
    throw new BackupError(
      'Restoring writes rows that triggers would refuse: restore as a superuser, or grant the role of DATABASE_URL `set on parameter session_replication_role`.',
      { cause: error },
    );
  }
}

async function fillTable(client: Client, key: Buffer, folder: string, table: SealedTable): Promise<void> {
  const columns = table.columns.map(quoted).join(', ');
  const copy = client.query(copyFrom(`copy ${quoted(table.name)} (${columns}) from stdin`));
  await readSealed(path.join(folder, table.file), key, table.name, table, copy);
  if (copy.rowCount !== table.rows)
    throw new BackupError(`${table.name} has ${copy.rowCount} rows instead of ${table.rows}; restore another copy.`);
}

async function fill(client: Client, options: RestoreOptions, content: Manifest): Promise<void> {
  const key = keyOf(keyOfBackup(content, options.masterKey), content.salt);
  // A table of somebody else's beside ours stays as it is.
  const held = new Set(content.tables.map(({ name }) => name));
  const present = (await listTables(client)).filter(({ name }) => held.has(name));
  await client.query(`truncate ${present.map(({ name }) => quoted(name)).join(', ')}`);
  for (const table of content.tables) {
    await fillTable(client, key, options.folder, table);
    options.onTable?.(table);
  }
  for (const { name, last_value: value } of content.sequences)
    if (value !== null) await client.query(`select setval($1::regclass, $2::bigint)`, [quoted(name), value]);
}

/** The live tools and the logs' newest checkpoints are compared with the backup's before anything is kept. */
async function refuseDifference(client: Client, content: Manifest): Promise<void> {
  const { tools, checkpoints } = await describeContents(client);
  if (!isDeepStrictEqual(tools, content.tools) || !isDeepStrictEqual(checkpoints, content.checkpoints))
    throw new BackupError('What was restored is not what the backup lists; nothing was kept. Restore another copy.');
}

async function restoreRows(options: RestoreOptions, content: Manifest): Promise<void> {
  await asOwner(options.databaseUrl, 'wharf:restore', async (client) => {
    await beginUnchecked(client);
    await fill(client, options, content);
    await refuseDifference(client, content);
    await recordRestore(client, content.made_at);
    await client.query('commit');
  });
}

/**
 * What a folder holds, once all of it is found to be as it was written, of a schema that this version knows, under this key.
 * Changes nothing. @throws BackupError
 */
export async function readRestorable(folder: string, masterKey: Secret): Promise<Manifest> {
  const content = await readManifest(folder, masterKey);
  refuseNewerSchema(content);
  await refuseCorrupt(folder, content);
  return content;
}

/** Leaves an empty database as it was found; what made that necessary is told either way. */
async function takeBack(databaseUrl: string, extensions: readonly string[], failure: unknown): Promise<never> {
  try {
    await emptyAgain(databaseUrl, extensions);
  } catch (error) {
    throw new HalfRestoredError(
      `${messageOf(failure)}\nWhat was made of the schema until then could not be taken away (${messageOf(error)}): create another empty database, or set WHARF_DATA_DIR to a new folder.`,
      { cause: failure },
    );
  }
  throw failure;
}

/** Everything is back; this brings it to the version that is running. */
async function bringUpToDate(databaseUrl: string, masterKey: Secret): Promise<void> {
  try {
    await asOwner(databaseUrl, 'wharf:restore', (client) => client.query('analyze'));
    await migrate(databaseUrl, masterKey);
  } catch (error) {
    throw new HalfRestoredError(
      `Every row is restored, but the schema is still the backup's: ${messageOf(error)}\nCorrect that, then run \`npm run migrate\`.`,
      { cause: error },
    );
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * Brings an empty database to what a backup holds (`readRestorable`): its schema, then all its rows in one transaction, then
 * what is new in this version's schema. Contents are compared afterwards; each tenant's log says that it happened.
 * @throws BackupError | MigrationError and leaves the database as it was; HalfRestoredError where it could not
 */
export async function restore(options: RestoreOptions, content: Manifest): Promise<void> {
  const { databaseUrl, masterKey } = options;
  const target = await refuseTargetInUse(databaseUrl, content.migrations);
  try {
    const since = content.oldest_record_at === null ? {} : { recordsSince: new Date(content.oldest_record_at) };
    await migrate(databaseUrl, masterKey, { only: content.migrations, ...since });
    await restoreRows(options, content);
  } catch (error) {
    if (target.kind === 'empty') await takeBack(databaseUrl, target.extensions, error);
    throw error;
  }
  await bringUpToDate(databaseUrl, masterKey);
}
