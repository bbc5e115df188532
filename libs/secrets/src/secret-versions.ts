import type { Transaction } from '#libs/database';
import type { SealedValue } from './sealed-value.js';

/** Versions of a secret that are kept, the one in use among them; the oldest go with each that is written. */
export const VERSIONS_KEPT = 10;

/** What is kept of the writing of a version, beside its value. */
export interface Written {
  /** Who wrote it, as audit records name them. */
  readonly by?: object | undefined;
  /** The earlier version whose value it has. */
  readonly restoredFrom?: number | undefined;
}

/** Keeps the version in use as an earlier one, and as many before it as are kept; the value stays sealed as it is. */
export async function keepEarlier(tx: Transaction, tenantId: string, name: string): Promise<void> {
  await tx.query(
    `insert into secret_versions (tenant_id, name, version, data_key_id, ciphertext, created_at, written_by, restored_from)
     select tenant_id, name, version, data_key_id, ciphertext, updated_at, written_by, restored_from from secrets
     where tenant_id = $1 and name = $2`,
    [tenantId, name],
  );
  await tx.query(
    `delete from secret_versions where tenant_id = $1 and name = $2 and version not in (
       select version from secret_versions where tenant_id = $1 and name = $2 order by version desc limit $3)`,
    [tenantId, name, VERSIONS_KEPT - 1],
  );
}

/** The sealed value of an earlier version; undefined where it is not kept. */
export async function findEarlier(
  tx: Transaction,
  tenantId: string,
  name: string,
  version: number,
): Promise<SealedValue | undefined> {
  const [row]: Array<{ data_key_id: string; ciphertext: Buffer }> = await tx.query(
    `select data_key_id, ciphertext from secret_versions where tenant_id = $1 and name = $2 and version = $3`,
    [tenantId, name, version],
  );
  return row && { dataKeyId: row.data_key_id, ciphertext: row.ciphertext };
}
