import type { Transaction } from '#libs/database';
import { SHREDDED } from './wrapping-keys.js';

/**
 * Crypto-shreds a tenant, in its own transaction as the background service: its data keys are overwritten and the keys of
 * its persons deleted, so that nothing of the tenant that is sealed can be opened again by anybody, and nothing be sealed.
 * It cannot be undone; backups from before hold the keys until they are deleted. Services drop what they had opened as
 * soon as they hear of it, and after ten minutes where they do not.
 */
export async function shredTenant(tx: Transaction, tenantId: string): Promise<void> {
  // Whoever makes a data key at this moment is waited for; whoever comes later finds one that was shredded.
  await tx.query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [`data-key:${tenantId}`]);
  await tx.query(`update data_keys set wrapped = '', wrapping_key_id = $2 where tenant_id = $1`, [tenantId, SHREDDED]);
  await tx.query(`delete from person_keys where tenant_id = $1`, [tenantId]);
}
