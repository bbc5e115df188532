import { Injectable } from '@nestjs/common';
import { LOG_COLUMNS, type AuditRow, type LogRow } from '#libs/audit';
import type { Transaction } from '#libs/database';
import { conditionsOf, type AuditFilter } from './audit-filter.js';

/** At most so many records are looked at for one page, or one batch of an export. */
const SEEN_MAX = 10_000;

/** What was found among the records that were looked at. */
export interface Found<Row> {
  readonly rows: Row[];
  /** Where to go on: the last record that was looked at; undefined where there are no more. */
  readonly seenTo: string | undefined;
}

const ARRIVAL_COLUMNS =
  'id, null::bigint as leaf_index, at, event, actor, target, outcome, details, null::bytea as personal, source_address, trace_id';

/** The audit log of a tenant, and what is on its way there. */
@Injectable()
export class AuditQueryRepository {
  /** The newest records before a cursor that a filter lets through, among the next ten thousand. */
  async list(
    tx: Transaction,
    tenantId: string,
    filter: AuditFilter,
    page: { readonly limit: number; readonly before: string | undefined },
  ): Promise<Found<AuditRow>> {
    const { ofColumns, ofMembers, values } = conditionsOf(tenantId, filter);
    const columns = page.before === undefined ? ofColumns : `${ofColumns} and id < $${values.push(page.before)}`;
    const window = ofMembers === 'true' ? page.limit : SEEN_MAX;
    const newest = `order by id desc limit $${values.push(window)}`;
    const rows: Array<AuditRow & Seen> = await tx.query(
      `with seen as materialized (
         select * from (
           (select ${LOG_COLUMNS} from audit_log where ${columns} ${newest})
           union all
           (select ${ARRIVAL_COLUMNS} from audit_records a where ${columns}
              and not exists (select from audit_log l where l.tenant_id = $1 and l.id = a.id) ${newest})
         ) both_tables ${newest})
       select * from (select count(*)::int as seen, (array_agg(id order by id))[1] as seen_to from seen) looked_at
       left join lateral (select * from seen where ${ofMembers} order by id desc limit $${values.push(page.limit)}) found on true
       order by id desc`,
      values,
    );
    return foundIn(rows, page.limit, window, (row) => row.id);
  }

  /** Records of the log from a number on, oldest first, that a filter lets through, among the next ten thousand. */
  async listFrom(
    tx: Transaction,
    tenantId: string,
    filter: AuditFilter,
    page: { readonly limit: number; readonly from: number },
  ): Promise<Found<LogRow>> {
    const { ofColumns, ofMembers, values } = conditionsOf(tenantId, filter);
    const window = ofMembers === 'true' ? page.limit : SEEN_MAX;
    const rows: Array<LogRow & Seen> = await tx.query(
      `with seen as materialized (
         select ${LOG_COLUMNS} from audit_log where ${ofColumns} and leaf_index >= $${values.push(page.from)}
         order by leaf_index limit $${values.push(window)})
       select * from (select count(*)::int as seen, max(leaf_index)::text as seen_to from seen) looked_at
       left join lateral (select * from seen where ${ofMembers} order by leaf_index limit $${values.push(page.limit)}) found on true
       order by leaf_index`,
      values,
    );
    return foundIn(rows, page.limit, window, (row) => row.leaf_index);
  }
}

interface Seen {
  readonly seen: number;
  readonly seen_to: string | null;
}

function foundIn<Row extends { readonly id: string }>(
  rows: ReadonlyArray<Row & Seen>,
  limit: number,
  window: number,
  placeOf: (row: Row) => string,
): Found<Row> {
  const [first] = rows;
  // Where nothing was let through, the one row says only how much was looked at.
  const found = rows.filter(({ id }) => id !== null).map(({ seen: _, seen_to: __, ...row }) => row as unknown as Row); // what is left of it
  const last = found.at(-1);
  if (found.length === limit && last !== undefined) return { rows: found, seenTo: placeOf(last) };
  return { rows: found, seenTo: first?.seen === window ? (first.seen_to ?? undefined) : undefined };
}
