import { randomBytes } from 'node:crypto';
import type { Transaction } from '#libs/database';

/** How many keys of a tenant were destroyed. */
export interface ShreddedKeys {
  readonly dataKeys: number;
  readonly personKeys: number;
}

/**
 * Destroys every key of a tenant: what was sealed under them cannot be opened any more, wherever copies of it are. Rows
 * that name a data key still do; it opens nothing.
 */
export async function shredKeys(tx: Transaction, tenantId: string): Promise<ShreddedKeys> {
  const [, dataKeys]: [unknown, number] = await tx.query(`update data_keys set wrapped = $2 where tenant_id = $1`, [
    tenantId,
    randomBytes(32),
  ]);
  const [, personKeys]: [unknown, number] = await tx.query(`delete from person_keys where tenant_id = $1`, [tenantId]);
  return { dataKeys, personKeys };
}
