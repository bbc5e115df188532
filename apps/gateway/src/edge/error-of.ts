import { isGivenUp } from '#libs/database';
import { AppError, toAppError } from '#libs/errors';

/** What is answered for whatever was thrown on a call's path: an AppError as it is, and that it may be tried again where it may. */
export function errorOf(thrown: unknown): AppError {
  return isGivenUp(thrown) ? new AppError('unavailable', { retryAfterSeconds: 1, cause: thrown }) : toAppError(thrown);
}
