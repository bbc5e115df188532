import type { Transaction } from '#libs/database';
import type { DataKeyRing, SealedValue } from '#libs/secrets';
import { DATA_SEALED_COLUMNS, type DataSealedColumn } from './data-sealed-columns.js';

/** What a batch came to. */
export interface ResealBatch {
  readonly sealed: number;
  /** Rows that do not open, each with what went wrong; they stay as they are, and so does their key. */
  readonly failed: ReadonlyArray<{ readonly key: readonly string[]; readonly error: unknown }>;
  /** The last row that was looked at; undefined at the table's end. */
  readonly last: readonly string[] | undefined;
}

/** How many rows of a table are sealed under a data key. */
export interface DataKeyUse {
  readonly dataKeyId: string;
  readonly table: string;
  readonly rows: number;
}

/** Counts what is sealed under which data key of the transaction's tenant; where nothing is, a key is not in the list. */
export async function countDataKeyUses(tx: Transaction, tenantId: string): Promise<DataKeyUse[]> {
  const counts = DATA_SEALED_COLUMNS.map(
    ({ table, dataKeyId }) =>
      `select '${table}' as table, ${dataKeyId} as id from ${table} where tenant_id = $1 and ${dataKeyId} is not null`,
  );
  return tx.query(
    `select id as "dataKeyId", "table", count(*)::int as rows from (${counts.join(' union all ')}) uses
     group by 1, 2 order by 1, 2`,
    [tenantId],
  );
}

/**
 * Seals up to `limit` values of a column under the tenant's newest data key, of those behind `after` that are not, in the
 * tenant's own transaction. A row that somebody writes at this moment is left to the next round.
 */
export async function resealBatch(
  tx: Transaction,
  ring: DataKeyRing,
  column: DataSealedColumn,
  { after, limit }: { readonly after: readonly string[] | undefined; readonly limit: number },
): Promise<ResealBatch> {
  const rows = await rowsBehind(tx, ring, column, { after, limit });
  const done: Array<{ key: readonly string[]; sealed: SealedValue }> = [];
  const failed: Array<{ key: readonly string[]; error: unknown }> = [];
  for (const { key, ...sealed } of rows) {
    try {
      done.push({ key, sealed: ring.reseal(sealed, column.context(ring.tenantId, key)) });
    } catch (error) {
      failed.push({ key, error });
    }
  }
  const names = column.key.map(([name, type], index) => ({ name, type, as: `k${index}` }));
  await tx.query(
    `update ${column.table} t set ${column.sealed} = n.sealed, ${column.dataKeyId} = $2::uuid
     from unnest($3::bytea[], ${names.map(({ type }, index) => `$${index + 4}::${type}[]`).join(', ')})
       as n (sealed, ${names.map(({ as }) => as).join(', ')})
     where t.tenant_id = $1 and ${names.map(({ name, as }) => `t.${name} = n.${as}`).join(' and ')}`,
    [
      ring.tenantId,
      ring.newestId,
      done.map(({ sealed }) => sealed.ciphertext),
      ...names.map((_, index) => done.map(({ key }) => key[index])),
    ],
  );
  return { sealed: done.length, failed, last: rows.length < limit ? undefined : rows.at(-1)?.key };
}

async function rowsBehind(
  tx: Transaction,
  { tenantId, newestId }: DataKeyRing,
  { table, key, dataKeyId, sealed }: DataSealedColumn,
  { after, limit }: { readonly after: readonly string[] | undefined; readonly limit: number },
): Promise<Array<SealedValue & { readonly key: string[] }>> {
  const columns = key.map(([name]) => name).join(', ');
  const behind = `and (${columns}) > (${key.map(([, type], index) => `$${index + 4}::${type}`).join(', ')})`;
  return tx.query(
    `select array[${key.map(([name]) => `${name}::text`).join(', ')}] as key, ${dataKeyId} as "dataKeyId",
       ${sealed} as ciphertext
     from ${table} where tenant_id = $1 and ${dataKeyId} <> $2 ${after === undefined ? '' : behind}
     order by ${columns} limit $3 for update skip locked`,
    [tenantId, newestId, limit, ...(after ?? [])],
  );
}
