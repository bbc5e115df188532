import { z } from 'zod';

/** Within these every day and its neighbours, in every time zone, are of a year that ISO 8601 and PostgreSQL write alike. */
const FIRST_MS = Date.UTC(1970, 0, 1);
const END_MS = Date.UTC(9999, 0, 1);
const YEARS = 'of the years 1970 to 9998';

/** A moment that a request names: ISO 8601 with `Z` or an offset; parsed, the same moment in UTC, to the millisecond. */
export const moment = z.iso
  .datetime({ offset: true, error: 'a time, as 2026-11-01T12:00:00Z' })
  .refine(isKept, `a time ${YEARS}, in UTC`)
  .overwrite(inUtc);

/** A day that a request names, as `2026-11-01`. */
export const day = z.iso.date('a day, as 2026-11-01').refine(isKept, `a day ${YEARS}`);

function isKept(text: string): boolean {
  const at = Date.parse(text);
  return at >= FIRST_MS && at < END_MS;
}

/** Offsets are written that PostgreSQL does not read. What is no moment is left to the refusal. */
function inUtc(text: string): string {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? text : at.toISOString();
}
