import { isDeepStrictEqual } from 'node:util';
import type { MovedContent } from './moves.repository.js';

/** The first thing in which two readings of a tenant differ. */
export function differenceOf(left: MovedContent | null, right: MovedContent): string | undefined {
  const before = new Map((left?.tables ?? []).map((table) => [table.name, table]));
  for (const table of right.tables) {
    const { rows = 0, sha256 } = before.get(table.name) ?? {};
    if (rows !== table.rows) return `${table.name} has ${table.rows} rows instead of ${rows}`;
    if (sha256 !== table.sha256) return `rows of ${table.name} have other values`;
  }
  if (before.size !== right.tables.length) return 'a table is missing';
  return isDeepStrictEqual(left?.checkpoint, right.checkpoint) ? undefined : 'the newest checkpoint is another one';
}
