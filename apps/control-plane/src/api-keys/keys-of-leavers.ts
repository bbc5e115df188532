import { z } from 'zod';
import { appendAudit } from '#libs/audit';
import type { Transaction } from '#libs/database';
import { countKeysOf, revokeKeysOf } from '#libs/identity';
import { doneBy, type TenantCaller } from '../access/caller.js';

/** What is to become of the API keys of somebody who may make none any more. */
export const keysOfLeavers = z
  .enum(['revoke', 'keep'])
  .default('revoke')
  .meta({
    description:
      'What becomes of the API keys that they made: `revoke` ends them for good, at once; with `keep` they go on, and so ' +
      'does whoever has their text. Rotate a key first where a program is to go on with it.',
  });

/** How many keys there were of somebody who may make none any more. */
export interface SettledKeys {
  readonly api_keys_revoked: number;
  readonly api_keys_kept: number;
}

/** Revokes the API keys of these accounts, unless they are to be kept; the log names each. */
export async function settleKeysOf(
  tx: Transaction,
  caller: TenantCaller,
  { accountIds, keys }: { readonly accountIds: readonly string[]; readonly keys: z.output<typeof keysOfLeavers> },
): Promise<SettledKeys> {
  const { tenantId } = caller;
  if (keys === 'keep') {
    return { api_keys_revoked: 0, api_keys_kept: await countKeysOf(tx, { tenantId, accountIds }) };
  }
  const revoked = await revokeKeysOf(tx, { tenantId, accountIds });
  const entries = revoked.map((id) =>
    doneBy(caller, { event: 'api_key.revoked', target: `api_key:${id}`, details: { reason: 'maker_left' } }),
  );
  await appendAudit(tx, tenantId, entries);
  return { api_keys_revoked: revoked.length, api_keys_kept: 0 };
}
