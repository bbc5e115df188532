import { ArchiveError, COLUMNS_LEFT_OUT, quoted, type TenantTable } from '#libs/tenant-archive';
import { z } from 'zod';
import { BROUGHT, ChangedRows, type Change, type ChangingParts, type Row } from './changed-rows.js';
import { refuseForeignSeals } from './foreign-seals.js';

const ROWS_AT_ONCE = 200;
const BYTES_AT_ONCE = 8 * 1024 * 1024;
const BLOBS_AT_ONCE = 1;
/** Rows that refer to each other go together, so all of their table are held at once. */
const TOGETHER_BYTES_MAX = 64 * 1024 * 1024;
/** Classes of errors with which PostgreSQL refuses what a row says: data, integrity, and what is no such type. */
const REFUSED_ROW = /^(?:22|23|42804|428C9)/;

/** What writing rows works with. */
export interface RowsParts extends ChangingParts {
  /** In the order in which they refer to each other. */
  readonly tables: readonly TenantTable[];
  readonly signal?: AbortSignal | undefined;
  readonly onFile?: ((path: string, files: number) => void) | undefined;
}

/** Writes the rows of all tables. Returns how many by table. @throws ArchiveError for a row that cannot be one */
export async function importTables(parts: RowsParts): Promise<Record<string, number>> {
  const written: Record<string, number> = {};
  const changes = new ChangedRows(parts);
  for (const [done, table] of parts.tables.entries()) {
    const path = `tables/${table.name}.ndjson`;
    if (!parts.reader.has(path)) continue;
    parts.onFile?.(path, done);
    written[table.name] = await explained(path, () => importTable(parts, table, changes.of(table.name)));
  }
  await explained('tables', () => settle(parts));
  await refuseForeignSeals(parts.ask, changes.ring, parts.tables);
  return written;
}

async function importTable(parts: RowsParts, table: TenantTable, change: Change | undefined): Promise<number> {
  let rows = 0;
  for await (const lines of batches(parts.reader.lines(`tables/${table.name}.ndjson`), table)) {
    parts.signal?.throwIfAborted();
    const changed: string[] = [];
    for (const line of lines) {
      const row = change === undefined ? line : await change(parse(line));
      if (row !== undefined) changed.push(typeof row === 'string' ? row : JSON.stringify(row));
    }
    rows += changed.length;
    if (changed.length > 0) await insert(parts, table, { lines, changed });
  }
  return rows;
}

/** Rows that refer to others of their own table go together. */
async function* batches(lines: AsyncIterable<string>, { name, refersToItself }: TenantTable): AsyncGenerator<string[]> {
  const atOnce = name === 'blobs' ? BLOBS_AT_ONCE : refersToItself ? Infinity : ROWS_AT_ONCE;
  const bytesAtOnce = refersToItself ? Infinity : BYTES_AT_ONCE;
  let [batch, bytes]: [string[], number] = [[], 0];
  for await (const line of lines) {
    batch.push(line);
    bytes += line.length;
    if (bytes > TOGETHER_BYTES_MAX)
      throw new ArchiveError(
        `tables/${name}.ndjson is larger than the ${TOGETHER_BYTES_MAX} bytes that are read at once.`,
      );
    if (batch.length < atOnce && bytes < bytesAtOnce) continue;
    yield batch;
    [batch, bytes] = [[], 0];
  }
  if (batch.length > 0) yield batch;
}

function parse(line: string): Row {
  return z.record(z.string(), z.unknown()).parse(JSON.parse(line));
}

/**
 * Writes rows of the archive's own tenant: the owner of the schema may pass row-level security by, so a row that says it is
 * another tenant's is looked for here. Columns that the table does not have, or that no archive has, are refused; those that
 * the archive lacks get their defaults.
 */
async function insert(
  { ask, reader }: RowsParts,
  table: TenantTable,
  { lines, changed }: { readonly lines: readonly string[]; readonly changed: readonly string[] },
): Promise<void> {
  requireColumns(table, lines[0]);
  const names = Object.keys(parse(changed[0] ?? '{}')).map(quoted);
  const [counted] = await ask<{ count: number }>(
    `with rows as (select * from json_populate_recordset(null::${quoted(table.name)}, $1::json)),
       written as (insert into ${quoted(table.name)} (${names.join(', ')}) select ${names.join(', ')} from rows
         where ${quoted(table.tenantColumn)} = $2 returning 1)
     select count(*)::int as count from written`,
    [`[${changed.join(',')}]`, reader.manifest.tenant.id],
  );
  if (counted?.count !== changed.length)
    throw new ArchiveError(`A row of ${table.name} is not of the archive’s tenant. Do not trust whoever signed it.`);
}

/** The first of some rows decides: what others have beside it is not written. */
function requireColumns({ name, columns }: TenantTable, line = '{}'): void {
  const here = COLUMNS_LEFT_OUT[name] ?? [];
  const brought = new Set(BROUGHT[name] ?? []);
  const strange = Object.keys(parse(line)).find(
    (column) => !brought.has(column) && (!columns.includes(column) || here.includes(column)),
  );
  if (strange !== undefined)
    throw new ArchiveError(`The archive has a column ${name}.${strange}, which is unknown here.`);
}

/** Work that was in hand elsewhere is not in hand here. */
async function settle({ ask }: RowsParts): Promise<void> {
  const tenant = `tenant_id = current_setting('app.tenant_id')::uuid`;
  await ask(
    `update rollouts set state = 'aborted', ended_at = now(), percent = 0, reason = 'the tenant was imported'
     where ${tenant} and state in ('checking', 'running', 'paused', 'draining')`,
  );
  await ask(`update releases set state = 'ready' where ${tenant} and state in ('publishing', 'candidate')`);
  await ask('set constraints all immediate');
}

/** Runs what writes a file's rows; what PostgreSQL or a parser says of them is said of the file. @throws ArchiveError */
async function explained<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError)
      throw new ArchiveError(`${path} holds a line that is no row in JSON. Use another copy.`, { cause: error });
    const { code, constraint } = error as { code?: string; constraint?: string }; // of PostgreSQL, or neither
    if (code === undefined || !REFUSED_ROW.test(code) || constraint === 'tenants_slug_key') throw error;
    const rule = constraint === undefined ? '' : ` (${constraint})`;
    throw new ArchiveError(`${path} holds a row that cannot be one here${rule}. No export writes such.`, {
      cause: error,
    });
  }
}
