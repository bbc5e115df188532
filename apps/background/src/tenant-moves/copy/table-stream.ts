import { createHash } from 'node:crypto';
import { Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Client } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { quoted, type TenantTable } from '#libs/tenant-archive';

/** How many rows of a tenant a table has, and the SHA-256 of all of them as text, in the order of their key. */
export interface TableDigest {
  readonly name: string;
  readonly rows: number;
  readonly sha256: string;
}

/** A tenant's rows of a table as COPY writes them. Text is ordered by its bytes, for databases may collate differently. */
export async function copyStatement(
  client: Client,
  table: Pick<TenantTable, 'name' | 'tenantColumn' | 'columns' | 'key'>,
  tenantId: string,
): Promise<string> {
  const { rows } = await client.query<{ name: string }>(
    `select attname::text as name from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and attcollation <> 0`,
    [quoted(table.name)],
  );
  const texts = new Set(rows.map(({ name }) => name));
  const order = table.key.map((column) => (texts.has(column) ? `${quoted(column)} collate "C"` : quoted(column)));
  return `copy (select ${columnsOf(table)} from ${quoted(table.name)}
    where ${quoted(table.tenantColumn)} = ${client.escapeLiteral(tenantId)}::uuid order by ${order.join(', ')}) to stdout`;
}

/** The columns of a table as SQL lists them, in an order that does not depend on when they were added. */
export function columnsOf({ columns }: Pick<TenantTable, 'columns'>): string {
  return columns.toSorted().map(quoted).join(', ');
}

/** Names of those tables that have rows of a tenant, asked in one statement: most tenants have none in most. */
export async function occupiedBy(
  client: Client,
  tables: readonly TenantTable[],
  tenantId: string,
): Promise<ReadonlySet<string>> {
  const asked = tables.map(
    ({ name, tenantColumn }) => `select ${client.escapeLiteral(name)} as name
      where exists (select from ${quoted(name)} where ${quoted(tenantColumn)} = ${client.escapeLiteral(tenantId)}::uuid)`,
  );
  const { rows } = await client.query<{ name: string }>(asked.join(' union all '));
  return new Set(rows.map(({ name }) => name));
}

/** Reads a statement's rows and counts them, handing them on to another database as they come where one is named. */
export async function streamRows(
  source: Client,
  statement: string,
  onto?: { readonly client: Client; readonly table: string },
): Promise<Omit<TableDigest, 'name'>> {
  const reading = source.query(copyTo(statement));
  const hash = createHash('sha256');
  const hashing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const target =
    onto === undefined
      ? new Writable({ write: (_chunk, _encoding, done) => done() })
      : onto.client.query(copyFrom(`copy ${onto.table} from stdin`));
  await pipeline(reading, hashing, target);
  return { rows: reading.rowCount, sha256: hash.digest('hex') };
}
