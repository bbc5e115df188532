import { setTimeout as pause } from 'node:timers/promises';
import { ConfigError, type Environment, type Secret } from '#libs/config';
import { Database, requireSchema, RoleRefused, SchemaError, type DatabaseRole } from '#libs/database';
import { acceptMasterKeys, KeyNotInUse } from './installation-keys.js';

/** What `npm run migrate` puts an end to. */
const AWAITED = [SchemaError, RoleRefused, KeyNotInUse] as const;
const SECONDS_MAX = 3_600;
/** How often it is looked whether the schema is there. */
const LOOK_MS = 2_000;

/** What of a service's configuration says where its database is. */
interface DatabaseConfig {
  readonly DATABASE_URL: string;
  readonly WHARF_MASTER_KEY: Secret;
}

/** A service that is to have the schema of its version before it starts. */
export interface Waiting {
  readonly role: DatabaseRole;
  readonly configOf: (environment: Environment) => Promise<DatabaseConfig>;
}

/**
 * Waits, for `WHARF_SCHEMA_WAIT_SECONDS` at most, until somebody else has brought the database to the schema of this version, or
 * to a later one: older and newer versions work side by side there; and until the master key is written down there, which
 * is what `npm run migrate` does last. Without the setting it waits for nothing.
 *
 * The roles are made by the migrations, and PostgreSQL says the same of a role that is missing and of another's password:
 * that is waited for too. What is wrong in another way is for the start to say.
 *
 * @throws ConfigError, and when the time is over SchemaError, RoleRefused or KeyNotInUse
 */
export function waitForSchema({ role, configOf }: Waiting) {
  return async (environment: Environment, onWait: (what: string) => Promise<void>): Promise<void> => {
    const seconds = secondsOf(environment);
    if (seconds === 0) return;
    const config = await configOf(environment);
    const until = performance.now() + seconds * 1_000;
    for (;;) {
      const missing = await missingIn(config, role);
      if (missing === undefined) return;
      if (performance.now() >= until) throw missing;
      await onWait(`This service waits for its schema, ${seconds} s at most. ${missing.message}`);
      await pause(LOOK_MS);
    }
  };
}

async function missingIn(config: DatabaseConfig, role: DatabaseRole): Promise<Error | undefined> {
  let database: Database | undefined;
  try {
    const { DATABASE_URL: databaseUrl, WHARF_MASTER_KEY: masterKey } = config;
    database = await Database.connect({ databaseUrl, role, masterKey, poolSize: 1 });
    await requireSchema(database);
    await acceptMasterKeys(database, masterKey);
    return undefined;
  } catch (error) {
    // A PostgreSQL that is away, or another installation's, is for the start to report.
    return AWAITED.some((kind) => error instanceof kind) && error instanceof Error ? error : undefined;
  } finally {
    await database?.close();
  }
}

function secondsOf(environment: Environment): number {
  const text = environment['WHARF_SCHEMA_WAIT_SECONDS'] ?? '0';
  const seconds = Number(text);
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > SECONDS_MAX || text.trim() === '')
    throw new ConfigError(`WHARF_SCHEMA_WAIT_SECONDS is wrong: write whole seconds, 0 to ${SECONDS_MAX}.`);
  return seconds;
}
