import { DataSource } from 'typeorm';
import type { Secret } from '#libs/config';
import { DATABASE_ROLES, rolePassword } from '#libs/database';
import { Foundation1763700000000 } from '../1763700000000-foundation.js';

const LOCK = 7_340_017;

/** Thrown when the database cannot be brought to this version's schema; nothing was changed. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

/** Creates the services' roles where they are missing and gives each its password. Roles are shared by all databases of a server. */
async function provideRoles(source: DataSource, masterKey: Secret): Promise<void> {
  for (const role of DATABASE_ROLES) {
    await source.query(`do $$ begin
      if not exists (select from pg_roles where rolname = '${role}') then create role ${role}; end if;
    exception when duplicate_object or unique_violation then null; end $$`);
    const password = rolePassword(masterKey, role);
    await source.query(
      `alter role ${role} login nosuperuser nobypassrls nocreatedb nocreaterole noinherit password '${password}'`,
    );
  }
}

/**
 * Brings a database to this version's schema: roles, then migrations, each in a transaction of its own, under an
 * advisory lock so that two starters do not meet.
 * @returns the names of the migrations that ran.
 * @throws MigrationError
 */
export async function migrate(databaseUrl: string, masterKey: Secret): Promise<string[]> {
  const source = new DataSource({
    type: 'postgres',
    url: databaseUrl,
    applicationName: 'wharf:migrate',
    poolSize: 2,
    migrations: [Foundation1763700000000],
    migrationsTransactionMode: 'each',
  });
  try {
    await source.initialize();
    const lock = source.createQueryRunner();
    await lock.query('select pg_advisory_lock($1)', [LOCK]);
    try {
      await provideRoles(source, masterKey);
      return (await source.runMigrations()).map((migration) => migration.name);
    } finally {
      await lock.query('select pg_advisory_unlock($1)', [LOCK]);
      await lock.release();
    }
  } catch (error) {
    throw new MigrationError(
      `The database could not be migrated: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  } finally {
    if (source.isInitialized) await source.destroy();
  }
}
