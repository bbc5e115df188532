import type { DedicatedDatabases, Secret } from '#libs/config';
import { BACKGROUND_COPIES, copyTable, OPERATORS_COPIES } from '#libs/database';
import { Client } from 'pg';
import { migrate, MigrationError } from './migrate.js';

/** What became of one database: the migrations that ran. */
export interface Migrated {
  /** Undefined: the common one. */
  readonly database: string | undefined;
  readonly names: readonly string[];
}

async function connected<Result>(url: string, work: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client({
    connectionString: url,
    application_name: 'wharf:migrate',
    connectionTimeoutMillis: 30_000,
    statement_timeout: 60_000,
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Refuses a database that is another one's already, before anything is done to it. */
async function refuseAnother(client: Client, name: string | undefined): Promise<void> {
  const what = name === undefined ? 'DATABASE_URL' : `${name} of WHARF_DEDICATED_DATABASES`;
  const [known] = await rowsOf<{ accounts: boolean; named: boolean }>(
    client,
    `select to_regclass('public.accounts') is not null as accounts, exists (select from pg_attribute
       where attrelid = to_regclass('public.installation') and attname = 'database') as named`,
  );
  const is = known?.named === true ? await ownName(client) : null;
  if (is !== null && is !== name)
    throw new MigrationError(
      `The database that ${what} leads to is ${is} of WHARF_DEDICATED_DATABASES; correct the URL.`,
    );
  if (is !== null || name === undefined || known?.accounts !== true) return;
  if ((await rowsOf(client, `select from accounts limit 1`)).length > 0)
    throw new MigrationError(`${what} leads to a common database, with accounts in it; give an empty one.`);
}

async function rowsOf<Row extends object>(client: Client, sql: string): Promise<Row[]> {
  return (await client.query<Row>(sql)).rows;
}

async function ownName(client: Client): Promise<string | null> {
  const [row] = await rowsOf<{ database: string | null }>(client, `select database from installation`);
  return row?.database ?? null;
}

/** Gives a dedicated database its name, and copies of the shared rows that tenants' transactions read. */
async function settleDedicated(common: Client, own: Client, name: string): Promise<void> {
  await own.query('begin');
  await own.query(`update installation set database = $1 where database is null`, [name]);
  for (const table of [...OPERATORS_COPIES, ...BACKGROUND_COPIES])
    await copyTable(
      (sql, values) => own.query(sql, values),
      async (sql) => (await common.query(sql)).rows,
      table,
    );
  await own.query('commit');
}

/**
 * Brings the common database to this version's schema, then each dedicated one, which is told what it is called.
 * @throws MigrationError that says which database it is about; those before it are migrated
 */
export async function migrateAll(
  databaseUrl: string,
  masterKey: Secret,
  dedicated: DedicatedDatabases,
): Promise<Migrated[]> {
  await named('DATABASE_URL', () => connected(databaseUrl, (client) => refuseAnother(client, undefined)));
  const done: Migrated[] = [{ database: undefined, names: await migrate(databaseUrl, masterKey) }];
  for (const [name, url] of dedicated) {
    await named(`dedicated database ${name}`, async () => {
      await connected(url.reveal(), (client) => refuseAnother(client, name));
      done.push({ database: name, names: await migrate(url.reveal(), masterKey) });
      await connected(databaseUrl, (common) => connected(url.reveal(), (own) => settleDedicated(common, own, name)));
    });
  }
  return done;
}

async function named(what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw new MigrationError(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
