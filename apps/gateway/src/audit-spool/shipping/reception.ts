import { isGivenUp, TenantAway } from '#libs/database';
import { AppError } from '#libs/errors';

/**
 * How the database received a batch: it `took` it; it is `away`, for everybody, or the `tenant` alone `is away`, on its way
 * between two databases; it was too `busy` with these rows; or it `refused` what they hold, or that they are written at all.
 */
export type Reception = 'took' | 'away' | 'tenant is away' | 'busy' | 'refused';

/** Connections, credentials, resources, operators and the system; a server that only reads (PostgreSQL, appendix A). */
const AWAY = /^(?:08...|28...|53...|57...|58...|25006)$/;
const FOREIGN_KEY_VIOLATION = '23503';

/** What an error says of the batch that it met. */
export function receptionOf(error: unknown): Exclude<Reception, 'took'> {
  if (error instanceof TenantAway) return 'tenant is away';
  if (isGivenUp(error)) return 'busy';
  const state = sqlStateOf(error);
  if (error instanceof AppError && error.code === 'unavailable') return 'away';
  return state !== undefined && AWAY.test(state) ? 'away' : 'refused';
}

/** Whether the tenant itself does not exist any more, so that nobody is left to keep a log for. */
export function isGone(error: unknown): boolean {
  return sqlStateOf(error) === FOREIGN_KEY_VIOLATION;
}

function sqlStateOf(error: unknown): string | undefined {
  return (error as { driverError?: { code?: string } } | null)?.driverError?.code;
}
