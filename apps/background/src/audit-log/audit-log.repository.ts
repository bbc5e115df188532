import { LOG_COLUMNS, PERSONAL_DETAILS, PERSONALLY_NAMED_METHOD, type LogRow, type Tile } from '#libs/audit';
import type { Transaction } from '#libs/database';

/** Before every id. */
const NO_ID = '00000000-0000-0000-0000-000000000000';

/** A record that has arrived and has no number yet. */
export type Arrival = Omit<LogRow, 'leaf_index' | 'personal'>;

/** How far a tenant's tree has come. */
export interface TreeState {
  readonly size: number;
  readonly checkpointSize: number;
  readonly secondsSinceCheckpoint: number;
}

/**
 * Tenants after an id with records that have arrived, in the order of their ids. They are found by leaps through the index,
 * from one tenant to the next: the pages are full of what has left.
 */
export async function tenantsWithArrivals(
  tx: Transaction,
  { after, limit }: { readonly after: string | undefined; readonly limit: number },
): Promise<string[]> {
  const rows: Array<{ tenant_id: string }> = await tx.query(
    `with recursive arrived as (
       (select tenant_id from audit_records where tenant_id > $1 order by tenant_id, id limit 1)
       union all
       select (select tenant_id from audit_records r where r.tenant_id > a.tenant_id order by tenant_id, id limit 1)
       from arrived a where a.tenant_id is not null)
     select tenant_id from arrived where tenant_id is not null limit $2`,
    [after ?? NO_ID, limit],
  );
  return rows.map((row) => row.tenant_id);
}

/** Tenants with records that no checkpoint covers for `seconds` already, the longest first. */
export async function tenantsUnsigned(tx: Transaction, seconds: number, limit: number): Promise<string[]> {
  const rows: Array<{ tenant_id: string }> = await tx.query(
    `select tenant_id from audit_trees where size > checkpoint_size and checkpoint_at < now() - make_interval(secs => $1)
     order by checkpoint_at limit $2`,
    [seconds, limit],
  );
  return rows.map((row) => row.tenant_id);
}

/** The name of the lock on a tenant's tree. */
export function treeLock(tenantId: string): string {
  return `audit-tree:${tenantId}`;
}

/**
 * Whether nobody else numbers this tenant's records until the transaction ends. In it, records are found by their keys:
 * arrivals come and go faster than statistics of them are made, and a page is mostly what has left.
 */
export async function lockTree(tx: Transaction, tenantId: string): Promise<boolean> {
  const rows: Array<{ locked: boolean }> = await tx.query(
    `select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as locked, set_config('enable_seqscan', 'off', true)`,
    [treeLock(tenantId)],
  );
  return rows[0]?.locked === true;
}

/** Whether the tenant's keys are destroyed, upon which nothing more gets a number: its log ends with its last checkpoint. */
export async function hasEnded(tx: Transaction, tenantId: string): Promise<boolean> {
  const rows: unknown[] = await tx.query(
    `select from tenant_deletions where tenant_id = $1 and state = 'deleting' and step = 'rows'`,
    [tenantId],
  );
  return rows.length > 0;
}

/** The state of the tree; a tenant without one has one of size 0. */
export async function readTreeState(tx: Transaction, tenantId: string): Promise<TreeState> {
  await tx.query(`insert into audit_trees (tenant_id, size) values ($1, 0) on conflict (tenant_id) do nothing`, [
    tenantId,
  ]);
  const rows: Array<{ size: string; checkpoint_size: string; seconds: string }> = await tx.query(
    `select size, checkpoint_size, extract(epoch from now() - checkpoint_at) as seconds from audit_trees where tenant_id = $1`,
    [tenantId],
  );
  const [row] = rows;
  return {
    size: Number(row?.size ?? 0),
    checkpointSize: Number(row?.checkpoint_size ?? 0),
    secondsSinceCheckpoint: Number(row?.seconds ?? 0),
  };
}

/** The oldest arrivals, or those after an id. */
export async function readArrivals(
  tx: Transaction,
  tenantId: string,
  { after, limit }: { readonly after: string | undefined; readonly limit: number },
): Promise<Arrival[]> {
  return tx.query(
    `select id, at, event, actor, target, outcome, details, source_address, trace_id
     from audit_records where tenant_id = $1 and id > $2 order by id limit $3`,
    [tenantId, after ?? NO_ID, limit],
  );
}

/** Drops arrivals that are in the log already: a spool has brought them a second time. */
export async function dropRepeated(tx: Transaction, tenantId: string): Promise<void> {
  await tx.query(
    `delete from audit_records a using audit_log l where a.tenant_id = $1 and l.tenant_id = $1 and l.id = a.id`,
    [tenantId],
  );
}

/** Arrivals that get the next numbers, in the order of their ids. */
export interface Numbering {
  readonly ids: readonly string[];
  readonly firstLeaf: number;
  /** What is personal in some of them, sealed, in base64, by id. */
  readonly sealed: Readonly<Record<string, string>>;
}

/**
 * Moves arrivals into the log under their numbers; where something personal was sealed, its plain text stays behind.
 * @throws a unique violation when one of them is in the log already
 */
export async function keepRecords(tx: Transaction, tenantId: string, numbering: Numbering): Promise<void> {
  await tx.query(
    `with moved as (delete from audit_records where tenant_id = $1 and id = any($2) returning *)
     insert into audit_log (tenant_id, ${LOG_COLUMNS})
     select tenant_id, id, $3 + row_number() over (order by id) - 1, at, event, actor, target, outcome,
       case when not $4::jsonb ? id::text then details
         when details ->> 'method' = $6 then details - $5::text[] - 'name' else details - $5::text[] end, decode($4::jsonb ->> id::text, 'base64'),
       case when $4::jsonb ? id::text then null else source_address end, trace_id
     from moved order by id`,
    [
      tenantId,
      numbering.ids,
      numbering.firstLeaf,
      JSON.stringify(numbering.sealed),
      PERSONAL_DETAILS,
      PERSONALLY_NAMED_METHOD,
    ],
  );
}

/** Writes the tiles that grew, and how large the tree is now. */
export async function writeTiles(
  tx: Transaction,
  tenantId: string,
  tiles: readonly Tile[],
  size: number,
): Promise<void> {
  for (const { level, index, hashes } of tiles) {
    await tx.query(
      `insert into audit_tiles (tenant_id, level, tile_index, hashes) values ($1, $2, $3, $4)
       on conflict (tenant_id, level, tile_index) do update set hashes = excluded.hashes`,
      [tenantId, level, index, hashes],
    );
  }
  await tx.query(`update audit_trees set size = $2, grown_at = now() where tenant_id = $1`, [tenantId, size]);
}

/** Writes a checkpoint. */
export async function writeCheckpoint(
  tx: Transaction,
  tenantId: string,
  checkpoint: { readonly size: number; readonly root: Buffer; readonly note: string },
): Promise<void> {
  const { size, root, note } = checkpoint;
  await tx.query(`insert into audit_checkpoints (tenant_id, size, root, note) values ($1, $2, $3, $4)`, [
    tenantId,
    size,
    root,
    note,
  ]);
  await tx.query(`update audit_trees set checkpoint_size = $2, checkpoint_at = now() where tenant_id = $1`, [
    tenantId,
    size,
  ]);
}
