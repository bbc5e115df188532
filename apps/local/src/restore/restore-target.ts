import type { Client } from 'pg';
import { BackupError } from '../backup/backup-error.js';
import { asOwner, migrationsOf } from '../backup/tables.js';

/** A database without any table, or one that has the backup's schema and no tenant yet. */
export type TargetState = 'empty' | 'unused';

const ELSEWHERE = 'create an empty database and restore into that, or set WHARF_DATA_DIR to a new folder.';

/** Where a restore fails, the schema `public` is made anew; what is in it without a table would be lost with it. */
async function refuseOthersObjects(client: Client): Promise<void> {
  const { rows } = await client.query<{ kind: string }>(
    `select 'a view or a sequence' as kind from pg_class where relnamespace = 'public'::regnamespace
     union select 'a function' from pg_proc where pronamespace = 'public'::regnamespace
     union select 'a type' from pg_type where typnamespace = 'public'::regnamespace
     union select 'an extension' from pg_extension where extnamespace = 'public'::regnamespace`,
  );
  if (rows.length === 0) return;
  const found = rows.map(({ kind }) => kind).join(', ');
  throw new BackupError(`The schema "public" of the database holds ${found} of somebody else's; ${ELSEWHERE}`);
}

/**
 * Looks whether a backup can go into a database without overwriting anything.
 * @throws BackupError when it holds tenants, another version's schema, or somebody else's tables
 */
export async function refuseTargetInUse(databaseUrl: string, migrations: readonly string[]): Promise<TargetState> {
  return asOwner(databaseUrl, 'wharf:restore', async (client) => {
    const { rows } = await client.query<{ tables: number }>(
      `select count(*)::int as tables from pg_class
       where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')`,
    );
    if (rows[0]?.tables === 0) {
      await refuseOthersObjects(client);
      return 'empty';
    }
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
    return 'unused';
  });
}

/** Takes away what a failed restore made in a database that was empty. */
export async function emptyAgain(databaseUrl: string): Promise<void> {
  await asOwner(databaseUrl, 'wharf:restore', async (client) => {
    await client.query('drop schema public cascade');
    // As PostgreSQL makes it in a new database.
    await client.query('create schema public authorization pg_database_owner');
    await client.query('grant usage on schema public to public');
  });
}
