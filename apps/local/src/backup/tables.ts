import { Client } from 'pg';
import { BackupError } from './backup-error.js';

/** A table whose rows are kept: the root of a partitioned one, never its partitions; columns that can be written. */
export interface Table {
  readonly name: string;
  readonly columns: readonly string[];
}

/** A name as SQL reads it, whatever is in it. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Runs `work` on one connection of the database's owner. @throws BackupError when it cannot be reached */
export async function asOwner<Result>(
  databaseUrl: string,
  purpose: string,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  const client = new Client({
    connectionString: databaseUrl,
    application_name: purpose,
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    throw new BackupError(
      `PostgreSQL cannot be reached (${error instanceof Error ? error.message : String(error)}); check DATABASE_URL.`,
      { cause: error },
    );
  }
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Every table of the schema but the list of migrations, which restoring writes itself; sorted by name. */
export async function listTables(client: Client): Promise<Table[]> {
  const { rows } = await client.query<Table>(
    `select c.relname as name, array_agg(a.attname::text order by a.attnum) as columns
     from pg_class c join pg_attribute a on a.attrelid = c.oid
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
       and c.relname <> 'migrations' and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
     group by c.relname order by c.relname`,
  );
  return rows;
}

/** The names of the migrations that the database has had, in their order; none where it has no schema. */
export async function migrationsOf(client: Client): Promise<string[]> {
  const { rows: found } = await client.query(`select 1 where to_regclass('public.migrations') is not null`);
  if (found.length === 0) return [];
  const { rows } = await client.query<{ name: string }>(`select name from migrations order by id`);
  return rows.map(({ name }) => name);
}
