import { DATA_SEALED_COLUMNS, type DataSealedColumn } from '#libs/rewrap';
import type { DataKeyRing } from '#libs/secrets';
import { quoted, type Ask, type TenantTable } from '#libs/tenant-archive';
import { opened } from './changed-rows.js';

const ROWS_AT_ONCE = 200;

/** Opens everything that is sealed in what came in, once. @throws ArchiveError where one of it opens with no key that came along */
export async function refuseForeignSeals(ask: Ask, ring: DataKeyRing, tables: readonly TenantTable[]): Promise<void> {
  const here = new Set(tables.map(({ name }) => name));
  for (const column of DATA_SEALED_COLUMNS) if (here.has(column.table)) await refuseIn(ask, ring, column);
}

async function refuseIn(ask: Ask, ring: DataKeyRing, column: DataSealedColumn): Promise<void> {
  const { table, key, dataKeyId, sealed } = column;
  const names = key.map(([name]) => quoted(name)).join(', ');
  for (let from = 0; ; from += ROWS_AT_ONCE) {
    const rows = await ask<{ key: string[]; data_key_id: string; sealed: Buffer }>(
      `select array[${key.map(([name]) => `${quoted(name)}::text`).join(', ')}] as key, ${quoted(dataKeyId)} as data_key_id,
         ${quoted(sealed)} as sealed from ${quoted(table)}
       where tenant_id = $1 and ${quoted(sealed)} is not null order by ${names} limit ${ROWS_AT_ONCE} offset $2`,
      [ring.tenantId, from],
    );
    for (const row of rows)
      opened(`tables/${table}.ndjson`, () =>
        ring.reseal({ dataKeyId: row.data_key_id, ciphertext: row.sealed }, column.context(ring.tenantId, row.key)),
      );
    if (rows.length < ROWS_AT_ONCE) return;
  }
}
