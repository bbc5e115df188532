import type { Client } from 'pg';
import { BackupError } from '../backup/backup-error.js';
import { asOwner, migrationsOf, quoted } from '../backup/tables.js';

/** A database without any table of its own, or one that has the backup's schema and no tenant yet. */
export type TargetState =
  | { readonly kind: 'empty'; /** Installed in it already. */ readonly extensions: readonly string[] }
  | { readonly kind: 'unused' };

const ELSEWHERE = 'name an empty database, or set WHARF_DATA_DIR to a new folder.';

/** Where a restore fails, the schema `public` is made anew; what is in it without a table would be lost with it. */
async function refuseOthersObjects(client: Client): Promise<void> {
  const { rows } = await client.query<{ kind: string }>(
    `select distinct kind from (
       select 'a view or a sequence', oid from pg_class where relnamespace = 'public'::regnamespace
       union all select 'a function', oid from pg_proc where pronamespace = 'public'::regnamespace
       union all select 'a type', oid from pg_type where typnamespace = 'public'::regnamespace
     ) as found (kind, oid)
     where not exists (select from pg_depend d where d.objid = found.oid and d.deptype = 'e')`,
  );
  if (rows.length === 0) return;
  const found = rows.map(({ kind }) => kind).join(', ');
  throw new BackupError(`The schema "public" of the database holds ${found} of somebody else's; ${ELSEWHERE}`);
}

async function extensionsIn(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select extname as name from pg_extension where extnamespace = 'public'::regnamespace order by extname`,
  );
  return rows.map(({ name }) => name);
}

/** What a database without any table has installed; undefined for one that has tables. @throws BackupError where other things of somebody's stand in it */
export async function findEmpty(client: Client): Promise<Extract<TargetState, { kind: 'empty' }> | undefined> {
  const { rows } = await client.query<{ tables: number }>(
    `select count(*)::int as tables from pg_class
     where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')`,
  );
  if (rows[0]?.tables !== 0) return undefined;
  await refuseOthersObjects(client);
  return { kind: 'empty', extensions: await extensionsIn(client) };
}

/**
 * Looks whether a backup can go into a database without overwriting anything.
 * @throws BackupError when it holds tenants, another version's schema, or somebody else's tables
 */
export async function refuseTargetInUse(databaseUrl: string, migrations: readonly string[]): Promise<TargetState> {
  return asOwner(databaseUrl, 'wharf:restore', async (client) => {
    const empty = await findEmpty(client);
    if (empty !== undefined) return empty;
    const present = await migrationsOf(client);
    const same = present.length === migrations.length && present.every((name) => migrations.includes(name));
    if (!same) {
      throw new BackupError(
        `The database is not empty, and its schema (${present.length} migrations) is not the backup’s (${migrations.length}); ${ELSEWHERE}`,
      );
    }
    const { rows: tenants } = await client.query(`select 1 from tenants union all select 1 from accounts limit 1`);
    if (tenants.length > 0) {
      throw new BackupError(`The database holds tenants, which a restore would overwrite; ${ELSEWHERE}`);
    }
    return { kind: 'unused' };
  });
}

/** Takes away what a failed restore made in a database that was empty; extensions that were there come back. */
export async function emptyAgain(databaseUrl: string, extensions: readonly string[]): Promise<void> {
  await asOwner(databaseUrl, 'wharf:restore', async (client) => {
    await client.query('begin');
    await client.query('drop schema public cascade');
    // As PostgreSQL makes it in a new database.
    await client.query('create schema public authorization pg_database_owner');
    await client.query('grant usage on schema public to public');
    for (const name of extensions) await client.query(`create extension ${quoted(name)} schema public`);
    await client.query('commit');
  });
}
