import type { Pool } from '../connection/pool.js';
import type { Transaction } from '../connection/transaction.js';

const ROW = `select to_jsonb(t) as row from tenants t where t.id = $1`;
const CHANGEABLE = `select string_agg(quote_ident(a.attname), ', ' order by a.attnum) as columns from pg_attribute a
  where a.attrelid = 'tenants'::regclass and a.attnum > 0 and not a.attisdropped
    and has_column_privilege(a.attrelid, a.attnum, 'update')`;

const AS_TENANT = `select set_config('app.tenant_id', $1, true)`;

/**
 * Takes over into the common database what the role may change of a tenant's own row, from where the tenant is at home.
 * The tenant may not enter the common database, so that its name alone is set: nothing but this row is touched. The row
 * is held before the one at home is read, so that of two copies at once the later one has what the earlier one had. The
 * connection to the tenant's home is there before one of the common database is taken: a home that hangs holds none.
 */
export async function copyTenantRow(tenantId: string, home: Pool, common: Pool): Promise<void> {
  await home.transaction(async (own) => {
    await own.query(AS_TENANT, [tenantId]);
    await common.transaction((tx) => copyRow(tenantId, own, tx));
  });
}

async function copyRow(tenantId: string, own: Transaction, tx: Transaction): Promise<void> {
  await tx.query(AS_TENANT, [tenantId]);
  const [changeable]: Array<{ columns: string | null }> = await tx.query(CHANGEABLE);
  const [there]: Array<{ row: object }> = await tx.query(`${ROW} for update`, [tenantId]);
  const [here]: Array<{ row: object }> = await own.query(ROW, [tenantId]);
  const columns = changeable?.columns ?? null;
  if (columns === null || there === undefined || here === undefined) return;
  await tx.query(
    `update tenants set (${columns}) = (select ${columns} from jsonb_populate_record(null::tenants, $2::jsonb))
     where id = $1 and row(${columns}) is distinct from
       (select row(${columns}) from jsonb_populate_record(null::tenants, $2::jsonb))`,
    [tenantId, JSON.stringify(here.row)],
  );
}
