import { LOG_COLUMNS, type LogRow } from '#libs/audit';
import type { Transaction } from '#libs/database';

export { lockTree } from './audit-log.repository.js';

/** Records by their numbers, from the first to before the end. */
export interface LeafRange {
  readonly first: number;
  readonly end: number;
}

/** Tenants whose trees are older than any plan may forget. */
export async function tenantsWithOldRecords(tx: Transaction, limit: number): Promise<string[]> {
  const rows: Array<{ tenant_id: string }> = await tx.query(
    `select tenant_id from audit_trees
     where checkpoint_size > archived and archive_due < now() order by archive_due limit $1`,
    [limit],
  );
  return rows.map((row) => row.tenant_id);
}

/**
 * The oldest records that the tenant's plan no longer keeps: up to a checkpoint, at most so many; undefined where there
 * are none, and then the tenant is not asked again before its next day.
 */
export async function findDueRange(tx: Transaction, tenantId: string, max: number): Promise<LeafRange | undefined> {
  const rows: Array<{ first: string; end: string | null }> = await tx.query(
    `with kept as (
       select t.archived as first, now() - make_interval(days => p.audit_retention_days) as cutoff
       from audit_trees t join tenants n on n.id = t.tenant_id join plans p on p.name = n.plan where t.tenant_id = $1)
     select k.first, (
       select max(c.size) from audit_checkpoints c
       where c.tenant_id = $1 and c.size > k.first and c.size <= k.first + $2 and c.size <= coalesce(
         (select min(l.leaf_index) from audit_log l where l.tenant_id = $1 and l.at >= k.cutoff),
         (select t.size from audit_trees t where t.tenant_id = $1))) as end
     from kept k`,
    [tenantId, max],
  );
  const [row] = rows;
  if (row?.end != null) return { first: Number(row.first), end: Number(row.end) };
  await tx.query(`update audit_trees set archive_due = now() + interval '1 day' where tenant_id = $1`, [tenantId]);
  return undefined;
}

/** The records of a range, by number. */
export async function readRange(tx: Transaction, tenantId: string, first: number, end: number): Promise<LogRow[]> {
  return tx.query(
    `select ${LOG_COLUMNS} from audit_log where tenant_id = $1 and leaf_index >= $2 and leaf_index < $3
     order by leaf_index`,
    [tenantId, first, end],
  );
}

/** Keeps an archive and lets its records go. */
export async function archiveRecords(
  tx: Transaction,
  tenantId: string,
  { first, end }: LeafRange,
  { digest, content }: { readonly digest: string; readonly content: Buffer },
): Promise<void> {
  await tx.query(
    `insert into audit_archives (tenant_id, first_leaf, end_leaf, digest, bytes, content) values ($1, $2, $3, $4, $5, $6)`,
    [tenantId, first, end, digest, content.length, content],
  );
  await tx.query(`delete from audit_log where tenant_id = $1 and leaf_index >= $2 and leaf_index < $3`, [
    tenantId,
    first,
    end,
  ]);
  await tx.query(`update audit_trees set archived = $2 where tenant_id = $1`, [tenantId, end]);
}
