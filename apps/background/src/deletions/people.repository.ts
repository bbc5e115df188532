import type { Database, Transaction } from '#libs/database';

/**
 * Deletes those people whom no tenant knows any more, with their second factors, sessions and mails; returns how many.
 *
 * Every row that names a person refers to their account, of whichever tenant it is and whether who deletes sees it or not:
 * such a reference refuses. Rows of a tenant with a database of its own are there, and refer to a copy of the account. So
 * accounts are deleted here, then asked for there, before this is committed: a tenant's rows that are on their way between the
 * two are in one or the other, or in both.
 */
export async function forgetPeople(
  tx: Transaction,
  database: Pick<Database, 'asServiceAt'>,
  people: readonly string[],
): Promise<number> {
  for (let left = people; left.length > 0;) {
    await tx.query('savepoint people');
    const gone = await forget(tx, left);
    const known = await knownElsewhere(tx, database, gone);
    if (known.size === 0) return gone.length;
    await tx.query('rollback to savepoint people');
    left = left.filter((id) => !known.has(id));
  }
  return 0;
}

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

async function forget(tx: Transaction, people: readonly string[]): Promise<string[]> {
  const [row]: [{ gone: string[] }] = await tx.query(`select forget_people($1::uuid[])::text[] as gone`, [people]);
  return row.gone;
}

/** Whom of them tenants in databases of their own know. Copies that nobody there needs go. @throws TenantAway */
async function knownElsewhere(
  tx: Transaction,
  database: Pick<Database, 'asServiceAt'>,
  people: readonly string[],
): Promise<ReadonlySet<string>> {
  const known = new Set<string>();
  if (people.length === 0) return known;
  const homes: Array<{ name: string }> = await tx.query(
    `select distinct database as name from tenant_homes order by 1`,
  );
  for (const { name } of homes) {
    const left = await database.asServiceAt(name, async (there) => {
      await forget(there, people);
      const rows: Array<{ id: string }> = await there.query(`select id from accounts where id = any($1)`, [people]);
      return rows;
    });
    for (const { id } of left) known.add(id);
  }
  return known;
}
