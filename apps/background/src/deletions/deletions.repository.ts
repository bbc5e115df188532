import { atHome, newId, type Transaction } from '#libs/database';
import { quoted, type TenantTable } from '#libs/tenant-archive';
import { treeLock } from '../audit-log/audit-log.repository.js';

/**
 * A tenant's deletion. It is requested and cancelled by the management API; what is done here:
 *
 *     waiting ──► deleting     its time has come, and nothing holds the tenant
 *     deleting ► connections   what its people granted at upstreams is revoked there, an hour at most
 *              ► keys          its workers are stopped, its whole log is signed a last time, and its keys made unreadable: from
 *                              here on nobody reads what is left, and nothing more gets a number in the log
 *              ► rows          every table is emptied, in batches; objects are given to those who delete them
 *              ► deleted       the last rows go and the receipt is written, in one transaction
 *
 * Each step says in the same transaction that it is done, so that whoever is killed in it begins it again.
 */
export interface Deletion {
  readonly tenant_id: string;
  readonly id: string;
  readonly slug: string;
  readonly state: 'waiting' | 'deleting';
  readonly step: 'connections' | 'keys' | 'rows';
  readonly reason: string;
  readonly requested_by: unknown;
  readonly requested_at: Date;
  readonly due_at: Date;
  readonly started_at: Date | null;
  readonly checkpoint: Readonly<Record<string, unknown>> | null;
  readonly counts: Readonly<Record<string, number>>;
}

const COLUMNS = `tenant_id, id, slug, state, step, reason, requested_by, requested_at, due_at, started_at, checkpoint, counts`;

/** Deletions whose time has come, the oldest first. */
export async function findDueDeletions(tx: Transaction, limit: number): Promise<Array<{ tenant_id: string }>> {
  return tx.query(
    `select tenant_id from tenant_deletions where state in ('waiting', 'deleting') and due_at <= now()
     order by due_at limit $1`,
    [limit],
  );
}

/** Whether a region serves the tenant; asked as the tenant, since who deletes sees no other. */
export async function isAtHome(tx: Transaction, tenantId: string, region: string | undefined): Promise<boolean> {
  const rows: unknown[] = await tx.query(`select where ${atHome('$1::uuid', '$2')}`, [tenantId, region ?? null]);
  return rows.length > 0;
}

/** Whether a legal hold keeps the transaction's tenant. */
export async function isHeld(tx: Transaction, tenantId: string): Promise<boolean> {
  const rows: unknown[] = await tx.query(`select from legal_holds where tenant_id = $1`, [tenantId]);
  return rows.length > 0;
}

/** Asks that a tenant is moved back to the common database; false where that is asked for already, or failed within the hour. */
export async function askReturn(tx: Transaction, tenantId: string): Promise<boolean> {
  const rows: unknown[] = await tx.query(
    `insert into tenant_moves (id, tenant_id, from_database, reason)
     select $2, h.tenant_id, h.database, 'its deletion is due' from tenant_homes h
     where h.tenant_id = $1 and h.state = 'dedicated' and not exists (
       select from tenant_moves m where m.tenant_id = $1 and m.requested_by is null and m.state = 'failed'
         and m.ended_at > now() - interval '1 hour')
     on conflict (tenant_id) where state not in ('done', 'failed') do nothing returning id`,
    [tenantId, newId()],
  );
  return rows.length > 0;
}

/** The tenant's open deletion that is due, kept from others; undefined where another process has it, or a hold stops it. */
export async function lockDeletion(tx: Transaction, tenantId: string): Promise<Deletion | undefined> {
  const rows: Deletion[] = await tx.query(
    `select ${COLUMNS} from tenant_deletions d where tenant_id = $1 and state in ('waiting', 'deleting')
       and due_at <= now() and not exists (select from legal_holds h where h.tenant_id = d.tenant_id)
     for update skip locked`,
    [tenantId],
  );
  return rows[0];
}

/** Begins a deletion: from here on it cannot be cancelled. */
export async function beginDeletion(tx: Transaction, { tenant_id: tenantId, id }: Deletion): Promise<void> {
  await tx.query(
    `update tenant_deletions set state = 'deleting', started_at = now() where tenant_id = $1 and id = $2`,
    [tenantId, id],
  );
  await tx.query(`delete from connections where tenant_id = $1`, [tenantId]);
}

/**
 * Has the log's last checkpoint stand in the deletion, once nobody numbers records; false where it does not cover the whole
 * log. Until the transaction ends nobody numbers any.
 */
export async function keepLastCheckpoint(tx: Transaction, { tenant_id: tenantId, id }: Deletion): Promise<boolean> {
  await tx.query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [treeLock(tenantId)]);
  const [, kept]: [unknown, number] = await tx.query(
    `with tree as (select coalesce(max(size), 0) as size from audit_trees where tenant_id = $1)
     update tenant_deletions set checkpoint = (
       select jsonb_build_object('size', c.size, 'root', encode(c.root, 'base64'), 'note', c.note)
       from audit_checkpoints c join tree using (size) where c.tenant_id = $1)
     where tenant_id = $1 and id = $2 and exists (
       select from tree where size = 0 or exists (
         select from audit_checkpoints c where c.tenant_id = $1 and c.size = tree.size))`,
    [tenantId, id],
  );
  return kept === 1;
}

/** Notes that a step is done. */
export async function moveTo(
  tx: Transaction,
  { tenant_id: tenantId, id }: Deletion,
  step: Deletion['step'],
): Promise<void> {
  await tx.query(`update tenant_deletions set step = $3 where tenant_id = $1 and id = $2`, [tenantId, id, step]);
}

/** Whether what people had granted at upstreams is still being revoked there. */
export async function isRevoking(tx: Transaction, tenantId: string): Promise<boolean> {
  const rows: unknown[] = await tx.query(`select from connection_endings where tenant_id = $1 limit 1`, [tenantId]);
  return rows.length > 0;
}

/** Gives the tenant's objects in the object store to the sweep that deletes them, and lets live releases go. */
export async function releaseObjects(tx: Transaction, tenantId: string): Promise<void> {
  await tx.query(
    `insert into unused_objects (tenant_id, id, digest, bytes, due_at)
     select tenant_id, object, digest, bytes, now() from (
       select tenant_id, object, digest, bytes from blobs where tenant_id = $1 and object is not null
       union select tenant_id, object, digest, bytes from audit_archives where tenant_id = $1 and object is not null) o
     on conflict (tenant_id, id) do nothing`,
    [tenantId],
  );
  await tx.query(`update servers set live_release_id = null, previous_release_id = null where tenant_id = $1`, [
    tenantId,
  ]);
}

/** Deletes some rows of one table, all where they refer to each other; returns how many, and whom they named. */
export async function deleteSome(
  tx: Transaction,
  tenantId: string,
  { name, tenantColumn, key, refersToItself, people }: TenantTable,
  limit: number,
): Promise<{ readonly deleted: number; readonly people: readonly string[] }> {
  const columns = key.map(quoted).join(', ');
  const some = refersToItself
    ? ''
    : `and (${columns}) in (select ${columns} from ${quoted(name)} where ${tenantColumn} = $1 order by ${columns} limit ${limit})`;
  const named = people.length === 0 ? '' : `returning ${people.map(quoted).join(', ')}`;
  const [rows, deleted]: [ReadonlyArray<Readonly<Record<string, string | null>>>, number] = await tx.query(
    `delete from ${quoted(name)} where ${tenantColumn} = $1 ${some} ${named}`,
    [tenantId],
  );
  const ids = named === '' ? [] : rows.flatMap((row) => Object.values(row).flatMap((id) => id ?? []));
  return { deleted, people: [...new Set(ids)] };
}

/** Adds to what is counted as deleted. */
export async function count(
  tx: Transaction,
  { tenant_id: tenantId, id }: Deletion,
  what: string,
  more: number,
): Promise<void> {
  await tx.query(
    `update tenant_deletions set counts = counts || jsonb_build_object($3::text, coalesce((counts ->> $3)::bigint, 0) + $4::bigint)
     where tenant_id = $1 and id = $2`,
    [tenantId, id, what, more],
  );
}

/** Closes a deletion with its receipt and keeps the slug from others for so many days. */
export async function endDeletion(
  tx: Transaction,
  { tenant_id: tenantId, id, slug }: Deletion,
  { receipt, endedAt, slugDays }: { readonly receipt: string; readonly endedAt: Date; readonly slugDays: number },
): Promise<void> {
  await tx.query(
    `update tenant_deletions set state = 'deleted', ended_at = $4, receipt = $3 where tenant_id = $1 and id = $2`,
    [tenantId, id, receipt, endedAt],
  );
  await tx.query(
    `insert into reserved_slugs (slug, until) values ($1, now() + make_interval(days => $2))
     on conflict (slug) do update set until = excluded.until`,
    [slug, slugDays],
  );
  await tx.query(
    `insert into operator_actions (operator_id, action, reason, tenant_id, details)
     select id, 'tenants.deleted', $2, $1, jsonb_build_object('deletion', $3::text, 'slug', $4::text)
     from operators where id = '00000000-0000-7000-8000-000000000000'`,
    [tenantId, 'the grace period of its deletion is over', id, slug],
  );
}
