import { AppError } from '#libs/errors';

/** The refusal of a size that a log does not have. */
export function outside(pointer: string, message: string): AppError {
  return new AppError('invalid_request', { message, problems: [{ pointer: `/query/${pointer}`, message }] });
}

/** The size of a log that somebody asks about, by the name of its parameter. */
export type AskedSize = { readonly size: number } | { readonly to: number };

/** The size, which the log has reached. @throws AppError `invalid_request` */
export function requireReached(asked: AskedSize, now: number): number {
  const [pointer, size] = 'to' in asked ? (['to', asked.to] as const) : (['size', asked.size] as const);
  if (size > now) throw outside(pointer, `The log has ${now} records, never ${size} so far.`);
  return size;
}

/** The refusal of a proof for which there is no checkpoint yet. */
export function notCoveredYet(): AppError {
  return new AppError('conflict', {
    message: 'No checkpoint covers this record yet; there is one every minute. Try again then.',
  });
}

/** @throws AppError `invalid_request` for sizes between which nothing can be proved */
export function requireSizes(from: number, to: number): void {
  if (from < 1 || from > to) throw outside('from', `A proof needs 1 ≤ from ≤ to, not ${from} and ${to}.`);
}
