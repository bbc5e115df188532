import { z } from 'zod';

const ID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

/** How many rows of a list to answer at most: 50 where nothing is said, or `usual`. */
export function pageLimit(max: number, usual = Math.min(50, max)): z.ZodType<number, string | undefined> {
  return z
    .string()
    .regex(/^\d{1,4}$/, `a whole number from 1 to ${max}`)
    .transform(Number)
    .pipe(z.number().min(1).max(max))
    .default(usual)
    .meta({ description: `Rows at most, from 1 to ${max}.` });
}

/**
 * Where a page starts: the `next_cursor` of the page before, which is opaque to callers. Parsed, it is a row's id, which
 * has this form.
 */
export function cursorOf(form: RegExp): z.ZodType<string | undefined, string | undefined> {
  return z
    .string()
    .max(128)
    .transform((text) => Buffer.from(text, 'base64url').toString())
    .refine((id) => form.test(id), 'not a cursor of this list')
    .optional()
    .meta({ description: 'The `next_cursor` of the page before.' });
}

/** The cursor of a list whose rows' ids are UUIDs. */
export const pageCursor = cursorOf(ID);

/** The `next_cursor` of an answer. */
export const nextCursor = z
  .string()
  .nullable()
  .meta({ description: 'Where the next page starts; null after the last.' });

/** The cursor of a page that starts after a row. */
export function cursorTo(id: string): string {
  return Buffer.from(id).toString('base64url');
}

/** One page of rows and the cursor of the next. */
export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly next: string | null;
}

/** A page out of up to `limit + 1` rows in their order: the extra row says that there is more. */
export function pageOf<Row extends { readonly id: string }>(rows: readonly Row[], limit: number): Page<Row> {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { rows: page, next: more ? cursorTo(last.id) : null };
}

/** Rows of several databases in the order of lists that begin with the newest: their ids count up. */
export function newestFirst<Row extends { readonly id: string }>(rows: readonly Row[]): Row[] {
  return rows.toSorted((left, right) => (left.id < right.id ? 1 : -1));
}

/** The query of a list that is short by nature, and whole on its first page unless a limit is given. */
export const shortList = { limit: pageLimit(200, 200), cursor: cursorOf(/^[^\u0000]{1,120}$/) } as const;

/** What a page is asked for by, parsed. */
export interface PageQuery {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** A page of a list that is bounded and read whole; `keyOf` gives what it is sorted by, another one for each row. */
export function pageByKey<Row>(
  rows: readonly Row[],
  keyOf: (row: Row) => string,
  order: 'ascending' | 'descending',
  { limit, cursor }: PageQuery,
): Page<Row> {
  const direction = order === 'ascending' ? 1 : -1;
  const compare = (left: string, right: string): number => (left < right ? -direction : left > right ? direction : 0);
  const keyed = rows.map((row) => ({ id: keyOf(row), row })).toSorted((left, right) => compare(left.id, right.id));
  const page = pageOf(cursor === undefined ? keyed : keyed.filter(({ id }) => compare(id, cursor) > 0), limit);
  return { rows: page.rows.map(({ row }) => row), next: page.next };
}
