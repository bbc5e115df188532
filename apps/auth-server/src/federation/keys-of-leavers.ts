import { appendAudit } from '#libs/audit';
import type { Transaction } from '#libs/database';
import { revokeKeysOf } from '#libs/identity';
import type { TenantProvider } from './tenant-providers.js';

/**
 * Revokes the API keys of somebody whom their provider lets in no more, or in a role that makes none, unless their tenant
 * keeps such keys; the log names each. How many were revoked.
 */
export async function endKeysOf(
  tx: Transaction,
  { id, tenantId, keysOfLeavers }: TenantProvider,
  accountId: string,
): Promise<number> {
  if (keysOfLeavers === 'keep') return 0;
  const revoked = await revokeKeysOf(tx, { tenantId, accountIds: [accountId] });
  const done = {
    event: 'api_key.revoked',
    actor: { kind: 'system', id: `identity-provider:${id}` },
    outcome: 'ok',
    details: { reason: 'maker_left' },
  } as const;
  const entries = revoked.map((key) => ({ ...done, target: `api_key:${key}` }));
  await appendAudit(tx, tenantId, entries);
  return revoked.length;
}
