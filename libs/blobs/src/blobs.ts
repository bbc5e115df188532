import { createHash } from 'node:crypto';
import type { Transaction } from '#libs/database';

/** Stores bytes under their SHA-256 among the tenant's own; the same bytes are stored once. Returns the digest. */
export async function putBlob(tx: Transaction, tenantId: string, mediaType: string, content: Buffer): Promise<string> {
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  await tx.query(
    `insert into blobs (tenant_id, digest, media_type, bytes, content) values ($1, $2, $3, $4, $5)
     on conflict (tenant_id, digest) do nothing`,
    [tenantId, digest, mediaType, content.length, content],
  );
  return digest;
}

/** The bytes of a digest among the tenant's own, if they are there. */
export async function findBlob(tx: Transaction, tenantId: string, digest: string): Promise<Buffer | undefined> {
  const rows: Array<{ content: Buffer }> = await tx.query(
    `select content from blobs where tenant_id = $1 and digest = $2`,
    [tenantId, digest],
  );
  return rows[0]?.content;
}
