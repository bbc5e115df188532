import { SchemaError } from '../own-schema.js';
import { isUnavailable } from './sql-errors.js';

/** What PostgreSQL says of a table, a column or a right that this version's schema has and this database has not. */
const NOT_MIGRATED = new Set(['42P01', '42703', '42501']);

/** Why a service could not begin to use its database, with what to look at; what is none of these is passed on. */
export function startError(error: unknown, databaseUrl: string): unknown {
  if (!(error instanceof Error)) return error;
  const { code, driverError } = error as { code?: string; driverError?: { code?: string } };
  if (NOT_MIGRATED.has(driverError?.code ?? '')) return new SchemaError(error.message, error);
  if (!isUnavailable(error)) return error;
  const { host, pathname } = new URL(databaseUrl);
  // Several addresses that all refuse are one error without a sentence.
  return new Error(
    `PostgreSQL cannot be used at ${host}${pathname} (${error.message || code}): see that it runs and can be reached from here, and check DATABASE_URL.`,
    { cause: error },
  );
}
