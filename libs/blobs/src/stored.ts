import type { Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { pendingBytes } from './unused-objects.js';

/** Bytes that one tenant may store: documents and releases together. */
export const STORED_BYTES_MAX = 1024 * 1024 * 1024;

/** Bytes of all the tenant's blobs. */
export async function storedBytes(tx: Transaction, tenantId: string): Promise<number> {
  const rows: [{ bytes: string }] = await tx.query(
    `select coalesce(sum(bytes), 0) as bytes from blobs where tenant_id = $1`,
    [tenantId],
  );
  return Number(rows[0].bytes);
}

/** Refuses bytes that are more than the tenant may still store. @throws AppError `conflict` */
export async function requireRoom(tx: Transaction, tenantId: string, bytes: number): Promise<void> {
  const wanted = (await storedBytes(tx, tenantId)) + (await pendingBytes(tx, tenantId)) + bytes;
  if (wanted <= STORED_BYTES_MAX) return;
  throw new AppError('conflict', {
    message: `A tenant stores at most ${STORED_BYTES_MAX} bytes of documents and releases, and this would make them ${wanted}. Delete documents that are not needed with DELETE /v1/artefacts/{digest}.`,
  });
}

/** Whether a digest is among the tenant's own. */
export async function hasBlob(tx: Transaction, tenantId: string, digest: string): Promise<boolean> {
  const rows: unknown[] = await tx.query(`select from blobs where tenant_id = $1 and digest = $2`, [tenantId, digest]);
  return rows.length > 0;
}
