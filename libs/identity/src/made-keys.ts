import type { Transaction } from '#libs/database';

/** Which of a tenant's API keys: those that were given into these accounts' hands. */
export interface MadeBy {
  readonly tenantId: string;
  readonly accountIds: readonly string[];
}

const GOOD = `tenant_id = $1 and created_by = any($2::uuid[]) and revoked_at is null
  and (expires_at is null or expires_at > now())`;

/** Revokes the keys of these accounts that are good for anything, at once and for good; the ids of those keys. */
export async function revokeKeysOf(tx: Transaction, { tenantId, accountIds }: MadeBy): Promise<string[]> {
  const [revoked]: [Array<{ id: string }>, number] = await tx.query(
    `update api_keys set revoked_at = now() where ${GOOD} returning id`,
    [tenantId, accountIds],
  );
  return revoked.map(({ id }) => id);
}

/** How many keys of these accounts are good for something. */
export async function countKeysOf(tx: Transaction, { tenantId, accountIds }: MadeBy): Promise<number> {
  const rows: [{ count: number }] = await tx.query(`select count(*)::int as count from api_keys where ${GOOD}`, [
    tenantId,
    accountIds,
  ]);
  return rows[0].count;
}
