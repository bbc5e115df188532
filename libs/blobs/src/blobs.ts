import type { Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { digestOf, keepPlaced, type Placed } from './blob-store.js';
import { hasBlob, requireRoom } from './stored.js';
import { dropObjects, type UnusedObject } from './unused-objects.js';

/**
 * Keeps the tenant's blobs from being stored and deleted by others until the transaction ends: what a row is about to
 * refer to must not be deleted as unused meanwhile.
 */
export async function lockBlobs(tx: Transaction, tenantId: string): Promise<void> {
  await tx.query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [`blobs:${tenantId}`]);
}

/**
 * Stores a manifest in a row of its own, under its SHA-256 among the tenant's own; the same bytes are stored once.
 * Manifests are read in the transactions that decide about releases, so they are rows wherever artefacts are.
 * @throws AppError `conflict` when the tenant would store more than it may.
 */
export async function putBlob(tx: Transaction, tenantId: string, mediaType: string, content: Buffer): Promise<string> {
  const digest = digestOf(content);
  await keepBlob(tx, tenantId, mediaType, { digest, bytes: content.length, content, object: null });
  const moved: UnusedObject[] = await tx.query(
    `select object as id, digest, bytes from blobs where tenant_id = $1 and digest = $2 and object is not null`,
    [tenantId, digest],
  );
  if (moved.length === 0) return digest;
  await tx.query(`update blobs set content = $3, object = null where tenant_id = $1 and digest = $2`, [
    tenantId,
    digest,
    content,
  ]);
  await dropObjects(tx, tenantId, moved);
  return digest;
}

/**
 * Stores placed bytes under their SHA-256 among the tenant's own; the same bytes are stored once.
 * @throws AppError `conflict` when the tenant would store more than it may.
 */
export async function keepBlob(tx: Transaction, tenantId: string, mediaType: string, placed: Placed): Promise<void> {
  const { digest, bytes, content, object } = placed;
  await lockBlobs(tx, tenantId);
  if (await hasBlob(tx, tenantId, digest)) return;
  if (content === null && object === null)
    throw new AppError('conflict', { message: 'These bytes were deleted while they were sent. Send them again.' });
  await keepPlaced(tx, tenantId, placed);
  await requireRoom(tx, tenantId, bytes);
  await tx.query(
    `insert into blobs (tenant_id, digest, media_type, bytes, content, object) values ($1, $2, $3, $4, $5, $6)`,
    [tenantId, digest, mediaType, bytes, content, object],
  );
}

/** The manifest of a digest among the tenant's own, if it is there. */
export async function findBlob(tx: Transaction, tenantId: string, digest: string): Promise<Buffer | undefined> {
  const found = await findPlaced(tx, tenantId, digest);
  return found?.content ?? undefined;
}

/** Where the bytes of a digest among the tenant's own are, for `BlobStore.read` after the transaction. */
export async function findPlaced(tx: Transaction, tenantId: string, digest: string): Promise<Placed | undefined> {
  const rows: Placed[] = await tx.query(
    `select digest, bytes, content, object from blobs where tenant_id = $1 and digest = $2`,
    [tenantId, digest],
  );
  return rows[0];
}

/** Deletes those of these blobs that no release is made of; returns how many. The caller holds the blobs' lock. */
export async function deleteUnusedBlobs(
  tx: Transaction,
  tenantId: string,
  digests: readonly string[],
): Promise<number> {
  const rows: Array<{ id: string | null; digest: string; bytes: number }> = await tx.query(
    `with deleted as (
       delete from blobs b where b.tenant_id = $1 and b.digest = any($2)
         and not exists (select from releases r where r.tenant_id = b.tenant_id and b.digest in (r.digest, r.artefact))
       returning b.object, b.digest, b.bytes)
     select object as id, digest, bytes from deleted`,
    [tenantId, digests],
  );
  await dropObjects(
    tx,
    tenantId,
    rows.flatMap(({ id, ...row }) => (id === null ? [] : [{ id, ...row }])),
  );
  return rows.length;
}
