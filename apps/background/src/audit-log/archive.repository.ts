import { findArchive, LOG_COLUMNS, type LogRow } from '#libs/audit';
import { keepPlaced, type Placed } from '#libs/blobs';
import { atHome, type Transaction } from '#libs/database';
import { treeLock } from './audit-log.repository.js';

const RECORDS_MAX = 10_000;
/** A checkpoint comes after a thousand records and what is numbered together, two thousand. */
const RECORDS_MIN = 3_000;
const BYTES_MAX = 64 * 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;

/** Records by their numbers, from the first to before the end. */
export interface LeafRange {
  readonly first: number;
  readonly end: number;
}

/** Tenants whose trees are older than any plan may forget, those that have waited longest first, and some after all others. */
export async function tenantsWithOldRecords(
  tx: Transaction,
  {
    atLast,
    limit,
    region,
  }: { readonly atLast: readonly string[]; readonly limit: number; readonly region: string | undefined },
): Promise<string[]> {
  const rows: Array<{ tenant_id: string }> = await tx.query(
    `select tenant_id from audit_trees
     where checkpoint_size > archived and archive_due < now() and ${atHome('audit_trees.tenant_id', '$3')}
     order by tenant_id = any($1::uuid[]), archive_due limit $2`,
    [atLast, limit, region ?? null],
  );
  return rows.map((row) => row.tenant_id);
}

/**
 * The oldest records that the tenant's plan no longer keeps: up to a checkpoint, at most so many records and bytes of
 * details, though never less than there may be between two checkpoints; undefined where there
 * are none, and then the tenant is not asked again before its next day.
 */
export async function findDueRange(tx: Transaction, tenantId: string): Promise<LeafRange | undefined> {
  const rows: Array<{ first: string; end: string | null }> = await tx.query(
    `with kept as (
       select t.archived as first, now() - make_interval(days => p.audit_retention_days) as cutoff
       from audit_trees t join tenants n on n.id = t.tenant_id join plans p on p.name = n.plan where t.tenant_id = $1)
     select k.first, (
       select max(c.size) from audit_checkpoints c
       where c.tenant_id = $1 and c.size > k.first and c.size <= k.first + greatest($3, coalesce((
         select count(*) from (
           select sum(octet_length(l.details::text)) over (order by l.leaf_index) as bytes from audit_log l
           where l.tenant_id = $1 and l.leaf_index >= k.first and l.leaf_index < k.first + $2) l
         where l.bytes <= $4), 0)) and c.size <= coalesce(
         (select min(l.leaf_index) from audit_log l where l.tenant_id = $1 and l.at >= k.cutoff),
         (select t.size from audit_trees t where t.tenant_id = $1))) as end
     from kept k`,
    [tenantId, RECORDS_MAX, RECORDS_MIN, BYTES_MAX],
  );
  const [row] = rows;
  if (row?.end != null) return { first: Number(row.first), end: Number(row.end) };
  await tx.query(`update audit_trees set archive_due = now() + interval '1 day' where tenant_id = $1`, [tenantId]);
  return undefined;
}

/** Waits until nobody else numbers or archives this tenant's records, and keeps others from it until the transaction ends. */
export async function waitForTree(tx: Transaction, tenantId: string): Promise<void> {
  await tx.query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [treeLock(tenantId)]);
}

/** The records of a range, by number. */
export async function readRange(tx: Transaction, tenantId: string, first: number, end: number): Promise<LogRow[]> {
  return tx.query(
    `select ${LOG_COLUMNS} from audit_log where tenant_id = $1 and leaf_index >= $2 and leaf_index < $3
     order by leaf_index`,
    [tenantId, first, end],
  );
}

/** Keeps an archive and lets its records go; false, and nothing is done, where they are in another one already. */
export async function archiveRecords(
  tx: Transaction,
  tenantId: string,
  { first, end }: LeafRange,
  placed: Placed,
): Promise<boolean> {
  const [marked]: [unknown[], number] = await tx.query(
    `update audit_trees set archived = $3 where tenant_id = $1 and archived = $2 returning 1`,
    [tenantId, first, end],
  );
  if (marked.length === 0) return false;
  await keepPlaced(tx, tenantId, placed);
  await tx.query(
    `insert into audit_archives (tenant_id, first_leaf, end_leaf, digest, bytes, object) values ($1, $2, $3, $4, $5, $6)`,
    [tenantId, first, end, placed.digest, placed.bytes, placed.object],
  );
  for (let at = 0; placed.content !== null && at < placed.bytes; at += CHUNK_BYTES) {
    const chunk = placed.content.subarray(at, at + CHUNK_BYTES);
    await tx.query(
      `insert into audit_archive_chunks (tenant_id, first_leaf, number, content) values ($1, $2, $3, $4)`,
      [tenantId, first, at / CHUNK_BYTES, chunk],
    );
  }
  await tx.query(`delete from audit_log where tenant_id = $1 and leaf_index >= $2 and leaf_index < $3`, [
    tenantId,
    first,
    end,
  ]);
  return true;
}

/** The first archive after this leaf whose bytes are in PostgreSQL. */
export async function findArchiveHere(
  tx: Transaction,
  tenantId: string,
  after: number,
): Promise<{ firstLeaf: number; digest: string; content: Buffer } | undefined> {
  const rows: Array<{ first_leaf: string }> = await tx.query(
    `select first_leaf from audit_archives where tenant_id = $1 and first_leaf > $2 and object is null
     order by first_leaf limit 1`,
    [tenantId, after],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  const firstLeaf = Number(row.first_leaf);
  const found = await findArchive(tx, tenantId, firstLeaf);
  return found?.content == null ? undefined : { firstLeaf, digest: found.digest, content: found.content };
}

/** Lets an archive's row name the object that its bytes are in now; false where it has one, or is gone. */
export async function pointArchive(
  tx: Transaction,
  tenantId: string,
  firstLeaf: number,
  placed: Placed,
): Promise<boolean> {
  const [pointed]: [unknown[], number] = await tx.query(
    `update audit_archives set content = null, object = $3
     where tenant_id = $1 and first_leaf = $2 and object is null returning 1`,
    [tenantId, firstLeaf, placed.object],
  );
  if (pointed.length === 0) return false;
  await keepPlaced(tx, tenantId, placed);
  await tx.query(`delete from audit_archive_chunks where tenant_id = $1 and first_leaf = $2`, [tenantId, firstLeaf]);
  return true;
}
