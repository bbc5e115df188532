import type { Transaction } from '#libs/database';

/**
 * Ends a person's membership of a tenant with everything that agents hold by it, also among shared rows; gateways hear of it at the commit.
 * @returns how many grants have ended
 */
export async function endMembership(
  tx: Transaction,
  shared: Transaction,
  { tenantId, accountId }: { readonly tenantId: string; readonly accountId: string },
): Promise<number> {
  await tx.query(`delete from members where tenant_id = $1 and account_id = $2`, [tenantId, accountId]);
  const held: Array<{ id: string }> = await tx.query(
    `select id from grants where tenant_id = $1 and account_id = $2 and revoked_at is null and expires_at > now()`,
    [tenantId, accountId],
  );
  const ids = held.map(({ id }) => id);
  await shared.query(
    `delete from oauth_artifacts where grant_id = any($1) or (model = 'Grant' and id_hash = any($1))`,
    [ids],
  );
  const [ended]: [unknown[], number] = await tx.query(
    `update grants set revoked_at = now() where tenant_id = $1 and id = any($2) and revoked_at is null returning 1`,
    [tenantId, ids],
  );
  return ended.length;
}
