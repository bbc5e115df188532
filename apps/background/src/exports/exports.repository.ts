import type { Transaction } from '#libs/database';
import type { SealedValue } from '#libs/secrets';
import type { KeyEnvelope } from '#libs/tenant-archive';

/*
 * An export is
 *
 *     waiting ──► making ──► ready ──► expired     its parts are deleted a week after it was asked for
 *                    └─────► failed ──► expired    and its sentence says why
 *
 * A run that is cut off leaves `making` behind, and the next one begins anew.
 */

/** An export that is to be made. */
export interface OpenExport {
  readonly secrets: 'sealed' | 'left_out';
  readonly key_envelope: KeyEnvelope | null;
  readonly data_key_id: string | null;
  readonly ciphertext: Buffer | null;
}

/** Begins an export anew, without what an earlier run left; undefined where it is made, or gone. */
export async function beginExport(tx: Transaction, tenantId: string, id: string): Promise<OpenExport | undefined> {
  const [rows]: [OpenExport[], number] = await tx.query(
    `update tenant_exports set state = 'making', progress = '{}' where tenant_id = $1 and id = $2
       and state in ('waiting', 'making') returning secrets, key_envelope, data_key_id, ciphertext`,
    [tenantId, id],
  );
  if (rows.length > 0)
    await tx.query(`delete from tenant_export_parts where tenant_id = $1 and export_id = $2`, [tenantId, id]);
  return rows[0];
}

/** The export key as it was sealed until now. */
export function sealedKeyOf({ data_key_id: dataKeyId, ciphertext }: OpenExport): SealedValue | undefined {
  return dataKeyId === null || ciphertext === null ? undefined : { dataKeyId, ciphertext };
}

/** Keeps a part of the archive, and how far it is. */
export async function keepPart(
  tx: Transaction,
  tenantId: string,
  part: {
    readonly id: string;
    readonly number: number;
    readonly digest: string;
    readonly content: Buffer;
    readonly progress: unknown;
  },
): Promise<void> {
  await tx.query(
    `insert into tenant_export_parts (tenant_id, export_id, number, digest, bytes, content) values ($1, $2, $3, $4, $5, $6)`,
    [tenantId, part.id, part.number, part.digest, part.content.length, part.content],
  );
  await tx.query(`update tenant_exports set progress = $3 where tenant_id = $1 and id = $2`, [
    tenantId,
    part.id,
    JSON.stringify(part.progress),
  ]);
}

/** Closes an export whose archive is whole; what it was sealed with is forgotten here. */
export async function endExport(
  tx: Transaction,
  tenantId: string,
  { id, bytes, digest }: { readonly id: string; readonly bytes: number; readonly digest: string },
): Promise<boolean> {
  const [rows]: [unknown[], number] = await tx.query(
    `update tenant_exports set state = 'ready', bytes = $3, digest = $4, ready_at = now(), data_key_id = null, ciphertext = null,
       expires_at = now() + interval '7 days'
     where tenant_id = $1 and id = $2 and state = 'making' returning id`,
    [tenantId, id, bytes, digest],
  );
  return rows.length > 0;
}

/** Closes an export that could not be made. */
export async function failExport(tx: Transaction, tenantId: string, id: string, failure: string): Promise<void> {
  await tx.query(
    `update tenant_exports set state = 'failed', failure = $3, data_key_id = null, ciphertext = null
     where tenant_id = $1 and id = $2 and state in ('waiting', 'making')`,
    [tenantId, id, failure],
  );
  await tx.query(`delete from tenant_export_parts where tenant_id = $1 and export_id = $2`, [tenantId, id]);
}

/** Exports of any tenant whose time is over. */
export async function findExpired(tx: Transaction, limit: number): Promise<Array<{ tenant_id: string; id: string }>> {
  return tx.query(
    `select tenant_id, id from tenant_exports where state in ('ready', 'failed') and expires_at < now() limit $1`,
    [limit],
  );
}

/** Deletes an export's archive; that there was one stays known. */
export async function expireExport(tx: Transaction, tenantId: string, id: string): Promise<void> {
  await tx.query(`delete from tenant_export_parts where tenant_id = $1 and export_id = $2`, [tenantId, id]);
  await tx.query(`update tenant_exports set state = 'expired' where tenant_id = $1 and id = $2`, [tenantId, id]);
}
