import type { Client } from 'pg';
import { quoted, type TenantTable } from '#libs/tenant-archive';
import { movingTables } from './copy/copy-tenant.js';
import { occupiedBy } from './copy/table-stream.js';
import { enterTenant } from './copy/session.js';
import { inTransaction } from './homes.js';

const ROWS_AT_ONCE = 5_000;
const ACCOUNTS_AT_ONCE = 500;
const FIRST = '00000000-0000-0000-0000-000000000000';

/**
 * Deletes a tenant's rows where it is not at home, table after table, those first that refer to others, in batches. Keys go
 * with them as they are: the tenant has the same where it lives. Its own row stays in the common database.
 */
export async function removeRows(client: Client, tenantId: string, signal: AbortSignal): Promise<void> {
  const within = <Result>(work: () => Promise<Result>): Promise<Result> => {
    signal.throwIfAborted();
    return inTransaction(client, async () => {
      await enterTenant(client, tenantId);
      return work();
    });
  };
  const tables = (await movingTables(client)).reverse();
  const occupied = await within(() => occupiedBy(client, tables, tenantId));
  await within(() =>
    client.query(
      `update servers set live_release_id = null, previous_release_id = null where tenant_id = $1
         and num_nonnulls(live_release_id, previous_release_id) > 0`,
      [tenantId],
    ),
  );
  for (const table of tables.filter(({ name }) => occupied.has(name)))
    for (let deleted = ROWS_AT_ONCE; deleted >= ROWS_AT_ONCE;)
      deleted = await within(() => deleteSome(client, tenantId, table));
  const { rows } = await client.query<{ dedicated: boolean }>(
    `select database is not null as dedicated from installation`,
  );
  if (rows[0]?.dedicated !== true) return;
  await within(async () => {
    await client.query(`delete from accounts where home_tenant_id = $1`, [tenantId]);
    await client.query(`delete from tenants where id = $1`, [tenantId]);
  });
  for (let after: string | undefined = FIRST; after !== undefined;) {
    signal.throwIfAborted();
    after = await forgetAccounts(client, after);
  }
}

async function deleteSome(client: Client, tenantId: string, table: TenantTable): Promise<number> {
  const columns = table.key.map(quoted).join(', ');
  const tenant = `${quoted(table.tenantColumn)} = $1`;
  const some = table.refersToItself
    ? ''
    : `and (${columns}) in (select ${columns} from ${quoted(table.name)} where ${tenant} order by ${columns} limit ${ROWS_AT_ONCE})`;
  const { rowCount } = await client.query(`delete from ${quoted(table.name)} where ${tenant} ${some}`, [tenantId]);
  return table.refersToItself ? 0 : (rowCount ?? 0);
}

/** Forgets people whom no tenant in a dedicated database knows any more; returns the last that was looked at. */
async function forgetAccounts(client: Client, after: string): Promise<string | undefined> {
  const { rows } = await client.query<{ last: string | null }>(`select forget_accounts($1, $2) as last`, [
    after,
    ACCOUNTS_AT_ONCE,
  ]);
  return rows[0]?.last ?? undefined;
}
