import { z } from 'zod';

/** Where a list goes on: which server's, and its own cursor. */
export interface ListPlace {
  readonly index: number;
  readonly cursor: string | undefined;
}

const placeSchema = z.tuple([z.int().nonnegative(), z.string().max(8_192).optional()]);
const NOWHERE: ListPlace = { index: -1, cursor: undefined };

/** The place that a cursor of ours names; the beginning without one, and no server's for what is none. */
export function readCursor(cursor: unknown, servers: number): ListPlace {
  if (cursor === undefined) return { index: 0, cursor: undefined };
  try {
    const [index, own] = placeSchema.parse(JSON.parse(Buffer.from(String(cursor), 'base64url').toString('utf8')));
    return index < servers ? { index, cursor: own } : NOWHERE;
  } catch {
    return NOWHERE;
  }
}

/** The cursor after a server's page; undefined after the last server's last. */
export function writeCursor(index: number, own: unknown, servers: number): string | undefined {
  if (typeof own !== 'string' && index + 1 >= servers) return undefined;
  const place = typeof own === 'string' ? [index, own] : [index + 1];
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}
