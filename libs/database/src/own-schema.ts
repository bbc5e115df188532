import { readdirSync } from 'node:fs';
import { AppError } from '#libs/errors';
import { isUnavailable } from './connection/sql-errors.js';
import type { Transaction } from './connection/transaction.js';

/** As a migration's file is called: when it was made, which no two share, and what it is about. */
const MIGRATION = /^(\d{13})-[a-z0-9-]+\.[jt]s$/;
const HERE = new URL('../../../migrations/', import.meta.url);
/** What PostgreSQL says of a table that is missing, and of one that this role may not read yet. */
const UNKNOWN = new Set(['42P01', '42501']);

/** Less than readiness waits for any of its checks. */
const ANSWER_MS = 1_500;
const AWAY = 'warning: PostgreSQL does not answer; requests that need it are answered 503 with Retry-After';

/** A `Database`. */
interface Asked {
  asService(work: (tx: Transaction) => Promise<void>): Promise<void>;
}

/** Thrown when a database has not the schema that this version was made for. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError';

  constructor(what: string, cause?: unknown) {
    super(`The database has not the schema of this version (${what}): run \`npm run migrate\` of this version.`, {
      cause,
    });
  }
}

/**
 * When this version's migrations were made. Their files' names say it: to know of them, a service need not load what
 * they do.
 */
export function ownMigrations(folder = HERE): ReadonlySet<string> {
  return new Set(readdirSync(folder).flatMap((file) => MIGRATION.exec(file)?.[1] ?? []));
}

const OWN_MIGRATIONS = ownMigrations();

/**
 * Sees to it that every migration of this version has run in the common database; later ones may have run too. For starts
 * and for readiness. @throws SchemaError
 */
export async function requireSchema(database: Asked): Promise<void> {
  await database.asService(async (tx) => {
    const run = new Set((await read(tx)).map(({ timestamp }) => timestamp));
    const missing = [...OWN_MIGRATIONS].filter((each) => !run.has(each)).toSorted();
    if (missing.length > 0)
      throw new SchemaError(`${missing.length} of its migrations have not run, ${missing[0]} is the first`);
  });
}

/**
 * What `/readyz` says of the common database: while it does not answer, that is a warning. Every copy of a service has the same database, so that
 * another one would do no better, and one that is taken out could not even say when to come again. `ask` rejects with what another copy would do better.
 */
export async function warnWhenAway(ask: () => Promise<unknown>): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), ANSWER_MS);
  });
  const asked = ask().then(
    () => 'ok' as const,
    (error: unknown) => {
      if (!isUnavailable(error) && !(error instanceof AppError && error.code === 'unavailable')) throw error;
      return 'late' as const;
    },
  );
  try {
    return (await Promise.race([asked, late])) === 'ok' ? 'ok' : AWAY;
  } finally {
    clearTimeout(timer);
    asked.catch(() => undefined); // what comes too late is asked again by the next question
  }
}

async function read(tx: Transaction): Promise<ReadonlyArray<{ readonly timestamp: string }>> {
  try {
    return await tx.query(`select timestamp::text from migrations`);
  } catch (error) {
    const code = (error as { driverError?: { code?: string } }).driverError?.code;
    if (code === undefined || !UNKNOWN.has(code)) throw error;
    throw new SchemaError('it is empty or of an earlier version');
  }
}
