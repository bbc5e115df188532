import type { Transaction } from '#libs/database';
import { AppError } from '#libs/errors';

/** What a tenant keeps, and what its plan lets it keep. */
export interface DocumentUsage {
  readonly documents: number;
  readonly bytes: number;
  readonly documents_max: number;
  readonly bytes_max: number;
}

/** A tenant's documents, of all its servers, beside what its plan allows. */
export async function documentUsage(tx: Transaction, tenantId: string): Promise<DocumentUsage> {
  const rows: DocumentUsage[] = await tx.query(
    `select coalesce(u.documents, 0) as documents, coalesce(u.bytes, 0)::float8 as bytes, p.documents_max,
       p.document_bytes_max::float8 as bytes_max
     from tenants t cross join lateral plan_of(t.id) p left join document_usage u on u.tenant_id = t.id where t.id = $1`,
    [tenantId],
  );
  if (rows[0] === undefined) throw new AppError('not_found');
  return rows[0];
}

/**
 * Refuses what has just been written where it is more than the plan allows; call it at the end of the transaction, whose
 * count holds up every other writer of the tenant until then.
 * @throws AppError `conflict`
 */
export async function requireRoom(tx: Transaction, tenantId: string): Promise<void> {
  const { documents, bytes, documents_max: most, bytes_max: bytesMost } = await documentUsage(tx, tenantId);
  if (documents > most)
    throw new AppError('conflict', {
      message: `Your plan has room for ${most} documents. Delete some, or ask for a larger plan.`,
    });
  if (bytes > bytesMost)
    throw new AppError('conflict', {
      message: `Your plan has room for ${bytesMost} bytes of documents. Delete some, or ask for a larger plan.`,
    });
}
