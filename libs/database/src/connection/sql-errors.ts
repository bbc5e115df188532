const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EPIPE',
  'EHOSTUNREACH',
]);
/**
 * Connection exceptions, refused credentials, no such database, shutting down or starting up, a database that was dropped,
 * too many connections (PostgreSQL, appendix A).
 */
const UNAVAILABLE_STATES = /^(?:08...|28...|3D000|57P0[1-5]|53300)$/;
/** Where PostgreSQL refuses a connection to a database that is closed, invalid or shut to the role; statements have these codes too. */
const CONNECTION_CHECK = 'CheckMyDatabase';
const UNAVAILABLE_MESSAGES =
  /timeout exceeded when trying to connect|Connection terminated|Client has encountered a connection error/;

const CONNECTION_TIMEOUTS = new Set(['Connection terminated due to connection timeout', 'timeout expired']);

/** Whether an error says that the database could not be used, rather than that it refused what was asked. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (UNREACHABLE.has(code) || UNAVAILABLE_STATES.test(code) || UNAVAILABLE_MESSAGES.test(error.message)) return true;
  if ('routine' in error && error.routine === CONNECTION_CHECK) return true;
  return 'driverError' in error && error.driverError !== error && isUnavailable(error.driverError);
}

/** Whether a connection has not come about within its time: errors of pg-pool's and pg's own, which have no code. */
export function isConnectionTimeout(error: unknown): boolean {
  return error instanceof Error && CONNECTION_TIMEOUTS.has(error.message);
}

/** Whether PostgreSQL gave up a statement that ran longer than it may (57014). */
export function isTimeout(error: unknown): boolean {
  return (error as { driverError?: { code?: string } } | null)?.driverError?.code === '57014';
}

/** Transaction rollback, with deadlocks; a lock not had in time; a statement that ran too long (PostgreSQL, appendix A). */
const GIVEN_UP = /^(?:40...|55P03|57014)$/;

/** Whether PostgreSQL gave a transaction up for the sake of others, so that it may come about when it is asked for again. */
export function isGivenUp(error: unknown): boolean {
  const found = error as { code?: string; driverError?: { code?: string } } | null;
  return GIVEN_UP.test(found?.driverError?.code ?? found?.code ?? '');
}

/** Whether an error is PostgreSQL's unique violation (23505), optionally of one named constraint. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  const driver = (error as { driverError?: { code?: string; constraint?: string } } | null)?.driverError;
  return driver?.code === '23505' && (constraint === undefined || driver.constraint === constraint);
}

/** Whether PostgreSQL refused a role's password (28P01), also where an error of ours came of that. */
export function isWrongPassword(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('code' in error && error.code === '28P01') return true;
  if ('driverError' in error && error.driverError !== error) return isWrongPassword(error.driverError);
  return false;
}

/** Whether a database refused to let a tenant in that is not at home there (WH001), before anything was done. */
export function isAwayFromHome(error: unknown): boolean {
  return (error as { driverError?: { code?: string } } | null)?.driverError?.code === 'WH001';
}
