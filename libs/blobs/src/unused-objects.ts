import { atHome, type Transaction } from '#libs/database';
import { AppError } from '#libs/errors';

/** An object of the object store that no row refers to. */
export interface UnusedObject {
  readonly id: string;
  readonly digest: string;
  readonly bytes: number;
}

/** A tenant's object that is to be deleted. */
export interface DueObject extends UnusedObject {
  readonly tenant_id: string;
}

/*
 * An object of the object store is noted before its first byte is sent, and that note is what finds it again:
 *
 *     noted ──► used        its note goes in the transaction whose row refers to it
 *       └─────► due         nobody has used it for ten minutes: whoever put it there crashed, was refused, or came second
 *     used ───► due         its row is deleted; noted again in that transaction, due at once
 *     due ────► claimed     from here on it cannot become used
 *     claimed ► deleted     in the object store first, then its note
 */
const UNUSED_MINUTES_MAX = 10;

/** Notes an object that is about to be stored; it is deleted unless something uses it within ten minutes. */
export async function noteObject(tx: Transaction, tenantId: string, object: UnusedObject): Promise<void> {
  await tx.query(
    `insert into unused_objects (tenant_id, id, digest, bytes, due_at)
     values ($1, $2, $3, $4, now() + make_interval(mins => $5))`,
    [tenantId, object.id, object.digest, object.bytes, UNUSED_MINUTES_MAX],
  );
}

/** Takes an object into use, in the transaction whose row refers to it. @throws AppError `unavailable` when it is too late */
export async function useObject(tx: Transaction, tenantId: string, id: string): Promise<void> {
  const [used]: [unknown[], number] = await tx.query(
    `delete from unused_objects where tenant_id = $1 and id = $2 and not claimed returning 1`,
    [tenantId, id],
  );
  if (used.length > 0) return;
  throw new AppError('unavailable', {
    message: 'This took too long, and what was uploaded is gone again. Send it once more.',
    retryAfterSeconds: 1,
  });
}

/** Notes objects that rows no longer refer to, in the transaction that ends those rows. */
export async function dropObjects(tx: Transaction, tenantId: string, objects: readonly UnusedObject[]): Promise<void> {
  await tx.query(
    `insert into unused_objects (tenant_id, id, digest, bytes, due_at)
     select $1, o.id, o.digest, o.bytes, now() from unnest($2::uuid[], $3::text[], $4::integer[]) o (id, digest, bytes)`,
    [tenantId, objects.map(({ id }) => id), objects.map(({ digest }) => digest), objects.map(({ bytes }) => bytes)],
  );
}

/** Bytes of the tenant's objects that are on their way, but for those of blobs that are only moved. */
export async function pendingBytes(tx: Transaction, tenantId: string): Promise<number> {
  const rows: [{ bytes: string }] = await tx.query(
    `select coalesce(sum(u.bytes), 0) as bytes from unused_objects u where u.tenant_id = $1 and u.due_at > now()
       and not exists (select from blobs b where b.tenant_id = u.tenant_id and b.digest = u.digest)`,
    [tenantId],
  );
  return Number(rows[0].bytes);
}

/** Objects that are due, of any tenant that a region serves; those whose deletion was tried before come after all others, in no order. */
export async function findDueObjects(tx: Transaction, limit: number, region?: string): Promise<DueObject[]> {
  return tx.query(
    `select tenant_id, id, digest, bytes from unused_objects where due_at <= now() and ${atHome('unused_objects.tenant_id', '$2')}
     order by claimed, case when claimed then random() end, due_at limit $1`,
    [limit, region ?? null],
  );
}

/** How long the object has been due that has waited longest, in seconds; 0 when none is due. */
export async function secondsSinceOldestDue(tx: Transaction): Promise<number> {
  const rows: [{ seconds: number }] = await tx.query(
    `select coalesce(extract(epoch from now() - min(due_at)), 0)::float8 as seconds
     from unused_objects where due_at <= now()`,
  );
  return rows[0].seconds;
}

/** Keeps an object from being used, before it is deleted; false where it was used meanwhile. */
export async function claimObject(tx: Transaction, tenantId: string, id: string): Promise<boolean> {
  const [claimed]: [unknown[], number] = await tx.query(
    `update unused_objects set claimed = true where tenant_id = $1 and id = $2 and due_at <= now() returning 1`,
    [tenantId, id],
  );
  return claimed.length > 0;
}

/** Forgets an object that is deleted. */
export async function forgetObject(tx: Transaction, tenantId: string, id: string): Promise<void> {
  await tx.query(`delete from unused_objects where tenant_id = $1 and id = $2 and claimed`, [tenantId, id]);
}
