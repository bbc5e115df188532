import { createHash } from 'node:crypto';
import type { Transaction } from '#libs/database';
import { AppError } from '#libs/errors';

/** Bytes that one tenant may store: documents and releases together. */
export const STORED_BYTES_MAX = 1024 * 1024 * 1024;

/**
 * Keeps the tenant's blobs from being stored and deleted by others until the transaction ends: what a row is about to
 * refer to must not be deleted as unused meanwhile.
 */
export async function lockBlobs(tx: Transaction, tenantId: string): Promise<void> {
  await tx.query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [`blobs:${tenantId}`]);
}

/** Bytes of all the tenant's blobs. */
export async function storedBytes(tx: Transaction, tenantId: string): Promise<number> {
  const rows: [{ bytes: string }] = await tx.query(
    `select coalesce(sum(bytes), 0) as bytes from blobs where tenant_id = $1`,
    [tenantId],
  );
  return Number(rows[0].bytes);
}

/**
 * Stores bytes under their SHA-256 among the tenant's own; the same bytes are stored once. Returns the digest.
 * @throws AppError `conflict` when the tenant would store more than it may.
 */
export async function putBlob(tx: Transaction, tenantId: string, mediaType: string, content: Buffer): Promise<string> {
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  await lockBlobs(tx, tenantId);
  await tx.query(
    `insert into blobs (tenant_id, digest, media_type, bytes, content) values ($1, $2, $3, $4, $5)
     on conflict (tenant_id, digest) do nothing`,
    [tenantId, digest, mediaType, content.length, content],
  );
  const stored = await storedBytes(tx, tenantId);
  if (stored <= STORED_BYTES_MAX) return digest;
  throw new AppError('conflict', {
    message: `A tenant stores at most ${STORED_BYTES_MAX} bytes of documents and releases, and this would make them ${stored}. Delete documents that are not needed with DELETE /v1/artefacts/{digest}.`,
  });
}

/** The bytes of a digest among the tenant's own, if they are there. */
export async function findBlob(tx: Transaction, tenantId: string, digest: string): Promise<Buffer | undefined> {
  const rows: Array<{ content: Buffer }> = await tx.query(
    `select content from blobs where tenant_id = $1 and digest = $2`,
    [tenantId, digest],
  );
  return rows[0]?.content;
}

/** Whether a digest is among the tenant's own. */
export async function hasBlob(tx: Transaction, tenantId: string, digest: string): Promise<boolean> {
  const rows: unknown[] = await tx.query(`select from blobs where tenant_id = $1 and digest = $2`, [tenantId, digest]);
  return rows.length > 0;
}

/** Deletes those of these blobs that no release is made of; returns how many. The caller holds the blobs' lock. */
export async function deleteUnusedBlobs(
  tx: Transaction,
  tenantId: string,
  digests: readonly string[],
): Promise<number> {
  const rows: unknown[] = await tx.query(
    `with deleted as (
       delete from blobs b where b.tenant_id = $1 and b.digest = any($2)
         and not exists (select from releases r where r.tenant_id = b.tenant_id and b.digest in (r.digest, r.artefact))
       returning b.digest)
     select digest from deleted`,
    [tenantId, digests],
  );
  return rows.length;
}
