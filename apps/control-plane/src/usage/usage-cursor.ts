import { z } from 'zod';
import { moment } from '../contract/times.js';
import { cursorTo } from '../paging/cursor.js';

/** A server's, tool's and client's names at their longest, in UTF-8 and base64url. */
const LENGTH_MAX = 8_192;

/** The last sum of a page: what the sums were told apart by, and where it stands among them. */
export interface UsagePlace {
  /** `per` and `by` of the list that it is of. */
  readonly list: string;
  readonly at: string;
  /** One for each name in `by`, in its order. */
  readonly names: readonly string[];
}

const place = z
  .tuple([z.string(), moment], z.string().regex(/^[^\u0000]*$/))
  .transform(([list, at, ...names]): UsagePlace => ({ list, at, names }));

/** Where a page of sums starts: after the last sum of the page before, whatever became of that since. */
export const usageCursor = z
  .string()
  .max(LENGTH_MAX)
  .transform((text, context) => {
    const parsed = place.safeParse(jsonOf(Buffer.from(text, 'base64url').toString()));
    if (parsed.success) return parsed.data;
    context.addIssue({ code: 'custom', message: 'not a cursor of this list' });
    return z.NEVER;
  })
  .optional()
  .meta({ description: 'The `next_cursor` of the page before.' });

/** The cursor of the page that starts after a sum. */
export function cursorAfter({ list, at, names }: UsagePlace): string {
  return cursorTo(JSON.stringify([list, at, ...names]));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
