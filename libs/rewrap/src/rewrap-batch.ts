import type { Secret } from '#libs/config';
import type { Transaction } from '#libs/database';
import { LASTING, masterKeyId, SHREDDED } from '#libs/secrets';
import { SEALED_TABLES, type SealedRow, type SealedTable } from './sealed-tables.js';

/** How many rows of each table are sealed under each master key. */
export interface RootKeyUse {
  readonly rootKeyId: string;
  readonly table: string;
  readonly rows: number;
}

/** What one batch came to. */
export interface RewrapBatch {
  readonly sealed: number;
  /** Rows that none of the master keys opens, each with what went wrong; they stay as they are. */
  readonly failed: ReadonlyArray<{ readonly key: readonly string[]; readonly error: unknown }>;
  /** The last row that was looked at; undefined at the table's end. */
  readonly last: readonly string[] | undefined;
}

/** Counts what is sealed under which master key; where nothing is, a key is not in the list. */
export async function countRootKeyUses(tx: Transaction): Promise<RootKeyUse[]> {
  const counts = SEALED_TABLES.map(
    ({ name, rootKeyId }) =>
      `select '${name}' as table, ${rootKeyId} as "rootKeyId", count(*)::int as rows from ${name} group by 2`,
  );
  return tx.query(
    `select * from (${counts.join(' union all ')}) uses
     where "rootKeyId" is not null and "rootKeyId" <> all ($1::text[]) order by "rootKeyId", "table"`,
    [[LASTING, SHREDDED]],
  );
}

/**
 * Seals up to `limit` rows of a table under the first of the master keys, of those behind `after` that are not. A row that
 * somebody writes at this moment is left to the next round; what is committed stays, whatever happens afterwards.
 */
export async function rewrapBatch(
  tx: Transaction,
  masterKey: Secret,
  table: SealedTable,
  { after, limit }: { readonly after: readonly string[] | undefined; readonly limit: number },
): Promise<RewrapBatch> {
  const rows = await rowsBehind(tx, table, { after, limit, current: masterKeyId(masterKey) });
  const done: Array<{ key: readonly string[]; sealed: Buffer; rootKeyId: string }> = [];
  const failed: Array<{ key: readonly string[]; error: unknown }> = [];
  for (const row of rows) {
    try {
      done.push({ key: row.key, ...table.reseal(masterKey, row) });
    } catch (error) {
      failed.push({ key: row.key, error });
    }
  }
  const columns = table.key.map(([column, type], index) => ({ column, type, name: `k${index}` }));
  await tx.query(
    `update ${table.name} t set ${table.write}, ${table.rootKeyColumn} = n.root_key_id
     from unnest($1::bytea[], $2::text[], ${columns.map(({ type }, index) => `$${index + 3}::${type}[]`).join(', ')})
       as n (sealed, root_key_id, ${columns.map(({ name }) => name).join(', ')})
     where ${columns.map(({ column, name }) => `t.${column} = n.${name}`).join(' and ')}`,
    [
      done.map(({ sealed }) => sealed),
      done.map(({ rootKeyId }) => rootKeyId),
      ...columns.map((_, index) => done.map(({ key }) => key[index])),
    ],
  );
  return { sealed: done.length, failed, last: rows.length < limit ? undefined : rows.at(-1)?.key };
}

async function rowsBehind(
  tx: Transaction,
  table: SealedTable,
  {
    after,
    limit,
    current,
  }: { readonly after: readonly string[] | undefined; readonly limit: number; readonly current: string },
): Promise<SealedRow[]> {
  const columns = table.key.map(([column]) => column).join(', ');
  const behind = `and (${columns}) > (${table.key.map(([, type], index) => `$${index + 3}::${type}`).join(', ')})`;
  const rows: Array<{ key: string[]; sealed: Buffer | null; salt: Buffer | null; root_key_id: string }> =
    await tx.query(
      `select array[${table.key.map(([column]) => `${column}::text`).join(', ')}] as key, ${table.sealed} as sealed,
       ${table.salt ?? 'null::bytea'} as salt, ${table.rootKeyId} as root_key_id
     from ${table.name} where ${table.rootKeyId} <> all ($1::text[])
       ${after === undefined ? '' : behind}
     order by ${columns} limit $2 for update skip locked`,
      [[current, LASTING, SHREDDED], limit, ...(after ?? [])],
    );
  return rows.map(({ key, sealed, salt, root_key_id: rootKeyId }) => ({
    key,
    sealed: sealed ?? Buffer.alloc(0),
    salt,
    rootKeyId,
  }));
}
