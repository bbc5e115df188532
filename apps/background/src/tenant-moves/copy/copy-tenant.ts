import type { Client } from 'pg';
import { listTenantTables, quoted, type TenantTable } from '#libs/tenant-archive';
import { CopyRefused } from './copy-refused.js';
import { copyReferred } from './referred-rows.js';
import { askOf } from './session.js';
import { columnsOf, copyStatement, occupiedBy, streamRows, type TableDigest } from './table-stream.js';
import type { CopyEnds } from './copy-ends.js';

/** Pages of 8 KiB of what has arrived that one statement writes: what waits to be checked is in the server's memory. */
const PAGES_AT_ONCE = 512;

/** What was read of a tenant. */
export interface CopiedTenant {
  readonly tables: TableDigest[];
  /** Accounts of people whose address is another account's in the common database. */
  readonly unaddressed: readonly string[];
}

/**
 * Writes every row of a tenant in one database into another that has none of them, table after table in the order of their
 * references, and never more of a table in memory than a stream's buffers. Returns what was read,
 * of each table that has rows, and who has lost their address on the way.
 * @throws CopyRefused where the databases have different tables
 */
export async function copyTenant(ends: CopyEnds): Promise<CopiedTenant> {
  const copied: TableDigest[] = [];
  const tables = await tablesOfBoth(ends);
  const occupied = await occupiedBy(ends.source, tables, ends.tenantId);
  const unaddressed = await copyReferred(ends);
  for (const table of tables) {
    if (!occupied.has(table.name)) continue;
    ends.signal.throwIfAborted();
    const digest = { name: table.name, ...(await copyTable(ends, table)) };
    copied.push(digest);
    await ends.onTable?.(digest);
  }
  return { tables: copied, unaddressed };
}

/** What a database holds of a tenant, table by table; one that holds nothing of it is not named. */
export async function digestTenant(client: Client, tenantId: string, signal: AbortSignal): Promise<TableDigest[]> {
  const digests: TableDigest[] = [];
  const tables = await movingTables(client);
  const occupied = await occupiedBy(client, tables, tenantId);
  for (const table of tables) {
    if (!occupied.has(table.name)) continue;
    signal.throwIfAborted();
    const statement = await copyStatement(client, table, tenantId);
    digests.push({ name: table.name, ...(await streamRows(client, statement)) });
  }
  return digests;
}

/** Tables whose rows move, each after those that it refers to. The tenant's own row stays in the common database. */
export async function movingTables(client: Client): Promise<TenantTable[]> {
  return (await listTenantTables(askOf(client))).filter(({ name }) => name !== 'tenants');
}

async function tablesOfBoth({ source, target }: CopyEnds): Promise<TenantTable[]> {
  const [here, there] = [await movingTables(source), await movingTables(target)];
  const columnsThere = new Map(there.map((table) => [table.name, columnsOf(table)]));
  const different = here.filter((table) => columnsThere.get(table.name) !== columnsOf(table));
  if (different.length > 0 || here.length !== there.length)
    throw new CopyRefused(
      'The two databases have different tables. Run `npm run migrate`, then ask for the move again.',
    );
  return here;
}

/** COPY does not write past row-level security, so rows arrive in a table of the session's own, and are written from there. */
async function copyTable(
  { source, target, tenantId }: CopyEnds,
  table: TenantTable,
): Promise<Omit<TableDigest, 'name'>> {
  const columns = columnsOf(table);
  await target.query(
    `create temp table arrived on commit drop as select ${columns} from ${quoted(table.name)} with no data`,
  );
  const statement = await copyStatement(source, table, tenantId);
  const read = await streamRows(source, statement, { client: target, table: 'arrived' });
  const written = read.rows === 0 ? 0 : await writeArrived(target, table, columns);
  await target.query('drop table arrived');
  if (written !== read.rows)
    throw new CopyRefused(`Of ${table.name}, ${read.rows} rows were read and ${written} were written.`);
  return read;
}

async function writeArrived(target: Client, table: TenantTable, columns: string): Promise<number> {
  const { rows } = await target.query<{ pages: string }>(
    `select pg_relation_size('pg_temp.arrived') / current_setting('block_size')::int as pages`,
  );
  const pages = Number(rows[0]?.pages ?? 0);
  // Rows that refer to each other are checked when the statement ends.
  const step = table.refersToItself ? Math.max(pages, 1) : PAGES_AT_ONCE;
  const insert = `insert into ${quoted(table.name)} (${columns}) overriding system value
    select ${columns} from pg_temp.arrived where ctid >= $1::tid and ctid < $2::tid`;
  let written = 0;
  for (let page = 0; page < pages; page += step)
    written += (await target.query(insert, [`(${page},0)`, `(${page + step},0)`])).rowCount ?? 0;
  return written;
}
