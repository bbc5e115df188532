import type { Transaction } from '#libs/database';

/** Some people of the tenant's own provider, whom no row of it names any more. */
export async function findHomePeople(tx: Transaction, tenantId: string, limit: number): Promise<string[]> {
  const rows: Array<{ id: string }> = await tx.query(`select id from accounts where home_tenant_id = $1 limit $2`, [
    tenantId,
    limit,
  ]);
  return rows.map(({ id }) => id);
}

/** Deletes what the grants that are deleted next have given out: codes and refresh tokens. Returns how many. */
export async function endTokens(tx: Transaction, tenantId: string, limit: number): Promise<number> {
  const grants: Array<{ id: string }> = await tx.query(
    `select id from grants where tenant_id = $1 order by tenant_id, id limit $2`,
    [tenantId, limit],
  );
  const [, ended]: [unknown, number] = await tx.query(
    `delete from oauth_artifacts where grant_id = any($1) or (model = 'Grant' and id_hash = any($1))`,
    [grants.map(({ id }) => id)],
  );
  return ended;
}

/** Deletes those of them whom no row of this database names; returns whom. */
export async function forget(tx: Transaction, people: readonly string[]): Promise<string[]> {
  const [row]: [{ gone: string[] }] = await tx.query(`select forget_people($1::uuid[])::text[] as gone`, [people]);
  return row.gone;
}

/** Which tenants are at home in databases of tenants' own, or on their way, since when. */
export async function homesNow(tx: Transaction): Promise<ReadonlyArray<{ readonly database: string }>> {
  return tx.query(`select tenant_id, database, state, changed_at from tenant_homes order by 1`);
}
