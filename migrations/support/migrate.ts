import { DataSource } from 'typeorm';
import { ConfigError, ringOf, type Secret } from '#libs/config';
import { DATABASE_ROLES, rolePassword, urlForRole } from '#libs/database';
import { masterKeyId, recordMasterKeys, refuseForeignKeys } from '#libs/secrets';
import { Client } from 'pg';
import { MIGRATIONS } from '../all.js';
import { provideAuditPartitions } from './audit-partitions.js';
import { givingWay } from './giving-way.js';
import { SILENT } from './silent-logger.js';
import { letTenantsMove } from './moving.js';
import { tooOld } from './supported-postgres.js';

const LOCK = 7_340_017;
/** Of what does not give way. */
const LOCK_TIMEOUT_MS = 5_000;

/** The migrations of this version, in their order. */
export const MIGRATION_NAMES: readonly string[] = MIGRATIONS.map(({ name }) => name).toSorted(
  (left, right) => Number(left.slice(-13)) - Number(right.slice(-13)),
);

/** How far to migrate. */
export interface MigrateOptions {
  /** These alone; without it every one of this version. */
  readonly only?: readonly string[];
  /** The audit log gets a partition for each month since then; without it since this one. */
  readonly recordsSince?: Date;
}

/** Thrown when the database cannot be brought to this version's schema; nothing was changed. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

/** Whether a role of this server takes the password that one of these master keys gives it. */
async function acceptsKeys(databaseUrl: string, masterKey: Secret): Promise<boolean> {
  for (const key of ringOf(masterKey)) if (await acceptsKey(databaseUrl, key)) return true;
  return false;
}

async function acceptsKey(databaseUrl: string, masterKey: Secret): Promise<boolean> {
  const client = new Client({
    connectionString: urlForRole(databaseUrl, 'wharf_gateway', masterKey),
    // A server that is busy has not refused the key.
    connectionTimeoutMillis: 30_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * Refuses a master key that is not this database's, and one that would change the passwords of another installation's
 * roles: roles belong to the whole server.
 */
async function refuseForeignKey(source: DataSource, databaseUrl: string, masterKey: Secret): Promise<void> {
  const [known]: Array<{ present: boolean; lists: boolean; roles: number }> = await source.query(
    `select to_regclass('public.installation') is not null as present,
       to_regclass('public.master_keys') is not null as lists,
       (select count(*)::int from pg_roles where rolname = 'wharf_gateway') as roles`,
  );
  if (known?.present === true) {
    const rows: Array<{ master_key_id: string }> = await source.query(`select master_key_id from installation`);
    if (known.lists) {
      await refuseForeignKeys(source.query.bind(source), masterKey);
    } else if (rows[0] !== undefined && rows[0].master_key_id !== masterKeyId(masterKey)) {
      throw new MigrationError(
        'WHARF_MASTER_KEY is not the key that this database was set up with; without that key its secrets cannot be read.',
      );
    }
  } else if (known !== undefined && known.roles > 0 && !(await acceptsKeys(databaseUrl, masterKey))) {
    throw new MigrationError(
      'Another Wharf with another WHARF_MASTER_KEY lives on this PostgreSQL server; use its key, or a server of your own.',
    );
  }
}

/** Creates the services' roles where they are missing and gives each its password. Roles are shared by all databases of a server. */
async function provideRoles(source: DataSource, masterKey: Secret): Promise<void> {
  for (const role of DATABASE_ROLES) {
    await whileOthersDoTheSame(() => provideRole(source, role, masterKey));
  }
}

/** Two installations on one server may give a role its password at once, which no lock of one database keeps apart. */
async function whileOthersDoTheSame(work: () => Promise<void>, triesLeft = 10): Promise<void> {
  try {
    await work();
  } catch (error) {
    const together = error instanceof Error && error.message.includes('tuple concurrently updated');
    if (!together || triesLeft === 0) throw error;
    await whileOthersDoTheSame(work, triesLeft - 1);
  }
}

/** Whoever migrates makes roles, and changes every tenant's rows: from another, row-level security would hide them in silence. */
async function refuseWeakOwner(source: DataSource): Promise<void> {
  const [owner] = await source.query(
    `select rolname, rolsuper or (rolcreaterole and rolbypassrls) as may from pg_roles where rolname = current_user`,
  );
  if (owner.may === true) return;
  throw new MigrationError(
    `The role ${owner.rolname} of DATABASE_URL may not migrate; as an administrator: alter role ${owner.rolname} createrole bypassrls`,
  );
}

async function provideRole(
  source: DataSource,
  role: (typeof DATABASE_ROLES)[number],
  masterKey: Secret,
): Promise<void> {
  await source.query(`do $$ begin
      if not exists (select from pg_roles where rolname = '${role}') then create role ${role}; end if;
    exception when duplicate_object or unique_violation then null; end $$`);
  const password = rolePassword(masterKey, role);
  // A new role may none of these. Only a superuser may name them all, even to say so, and providers give nobody one.
  const [held] = await source.query(
    `select 1 as held from pg_roles
     where rolname = $1 and (rolsuper or rolbypassrls or rolcreatedb or rolcreaterole or rolreplication)`,
    [role],
  );
  const none = held === undefined ? '' : 'nosuperuser nobypassrls nocreatedb nocreaterole noreplication';
  await source.query(`alter role ${role} login ${none} noinherit password '${password}'`);
}

async function connect(source: DataSource): Promise<void> {
  await source.initialize();
  const old = await tooOld(source.query.bind(source));
  if (old !== undefined) throw new MigrationError(old);
}

/** Runs what has not run; those that ran before one that had to give way have run. Returns their names. @throws MigrationError that names the one that failed */
async function runPending(source: DataSource, only: readonly string[]): Promise<string[]> {
  const before = new Set(await namesRun(source));
  try {
    await givingWay(source, () => source.runMigrations());
  } catch (error) {
    const run = new Set(await namesRun(source).catch(() => before));
    const failed = MIGRATION_NAMES.find((name) => only.includes(name) && !run.has(name));
    throw new MigrationError(
      `The database could not be migrated: ${failed ?? 'a migration'} failed: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
  return (await namesRun(source)).filter((name) => !before.has(name));
}

async function namesRun(source: DataSource): Promise<string[]> {
  const [known] = await source.query(`select to_regclass('public.migrations') is not null as present`);
  if (known.present !== true) return [];
  const rows: Array<{ name: string }> = await source.query(`select name from migrations order by id`);
  return rows.map(({ name }) => name);
}

/**
 * Brings a database to this version's schema: roles, then migrations, each in a transaction of its own, under an
 * advisory lock so that two starters do not meet.
 * @returns the names of the migrations that ran.
 * @throws MigrationError
 */
export async function migrate(
  databaseUrl: string,
  masterKey: Secret,
  { only = MIGRATION_NAMES, recordsSince = new Date() }: MigrateOptions = {},
): Promise<string[]> {
  const source = new DataSource({
    type: 'postgres',
    url: databaseUrl,
    applicationName: 'wharf:migrate',
    poolSize: 2, // one that holds the advisory lock, one that works
    migrations: MIGRATIONS.filter(({ name }) => only.includes(name)),
    migrationsTransactionMode: 'each',
    logger: SILENT,
    extra: { lock_timeout: LOCK_TIMEOUT_MS },
  });
  try {
    await connect(source);
    const lock = source.createQueryRunner();
    await lock.query('set lock_timeout = 0'); // another starter may have much to do
    await lock.query('select pg_advisory_lock($1)', [LOCK]);
    try {
      await refuseForeignKey(source, databaseUrl, masterKey);
      await refuseWeakOwner(source);
      await provideRoles(source, masterKey);
      const names = await runPending(source, only);
      await givingWay(source, () => provideAuditPartitions(source, recordsSince, new Date()));
      if (only.some((name) => name.startsWith('TenantMoves'))) await givingWay(source, () => letTenantsMove(source));
      await source.query(`insert into installation (master_key_id) values ($1) on conflict (singleton) do nothing`, [
        masterKeyId(masterKey),
      ]);
      if (only.some((name) => name.startsWith('TenantHomes')))
        await source.query(`update installation set migrated_to = $1`, [only.at(-1)]);
      // A restored backup may end before master keys could be replaced.
      if (only.some((name) => name.startsWith('MasterKeys')))
        await recordMasterKeys(source.query.bind(source), masterKey);
      return names;
    } finally {
      await lock.query('select pg_advisory_unlock($1)', [LOCK]);
      await lock.release();
    }
  } catch (error) {
    if (error instanceof MigrationError) throw error;
    if (error instanceof ConfigError) throw new MigrationError(error.message, { cause: error });
    throw new MigrationError(
      `The database could not be migrated: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  } finally {
    if (source.isInitialized) await source.destroy();
  }
}
