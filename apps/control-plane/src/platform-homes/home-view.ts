import type { AnswerOf } from '../contract/contract.js';
import type { HomeRow, MoveRow } from './platform-homes.repository.js';
import { COMMON, type showHome } from './platform-homes.schema.js';

type HomeAnswer = AnswerOf<typeof showHome>;

/** A database as operators name it. */
export function nameOf(database: string | null): string {
  return database ?? COMMON;
}

/** A tenant's home as operators see it: one that is on its way is still said to be where it comes from. */
export function homeView(home: HomeRow | undefined, last: MoveRow | undefined): HomeAnswer {
  const isThere = home !== undefined && home.state !== 'leaving';
  return {
    database: isThere ? home.database : COMMON,
    state: home === undefined || home.state === 'dedicated' ? 'settled' : home.state,
    last_move: last === undefined ? null : moveView(last),
  };
}

function moveView({
  from_database: from,
  to_database: to,
  open_to_abandon: _,
  ...row
}: MoveRow): NonNullable<HomeAnswer['last_move']> {
  return {
    ...row,
    from: nameOf(from),
    to: nameOf(to),
    rows: Number(row.rows),
    requested_at: row.requested_at.toISOString(),
    closed_at: row.closed_at?.toISOString() ?? null,
    opened_at: row.opened_at?.toISOString() ?? null,
    ended_at: row.ended_at?.toISOString() ?? null,
  };
}
