import { createHash } from 'node:crypto';
import type { Client } from 'pg';
import type { TenantVault } from '#libs/secrets';
import { ArchiveError, COLUMNS_LEFT_OUT, quoted, type TenantTable } from '#libs/tenant-archive';
import { z } from 'zod';
import type { ArchiveReader } from './archive-reader.js';
import { accountOf } from './import-people.js';

const ROWS_AT_ONCE = 200;
const BLOBS_AT_ONCE = 1;

/** What writing rows works with. */
export interface RowsParts {
  readonly client: Client;
  readonly reader: ArchiveReader;
  /** In the order in which they refer to each other. */
  readonly tables: readonly TenantTable[];
  readonly slug: string;
  /** Opens the tenant's data keys; undefined where they were left out. */
  readonly key: Buffer | undefined;
  readonly vault: TenantVault;
}

type Row = Record<string, unknown>;

/** What archives have in place of columns. */
const BROUGHT: Readonly<Record<string, readonly string[]>> = { members: ['email'], data_keys: ['sealed'] };

/** Writes the rows of all tables. Returns how many by table. @throws ArchiveError for a row that cannot be one */
export async function importTables(parts: RowsParts): Promise<Record<string, number>> {
  const written: Record<string, number> = {};
  const people = new Map<string, string>();
  for (const table of parts.tables) {
    const path = `tables/${table.name}.ndjson`;
    if (!parts.reader.has(path)) continue;
    let rows = 0;
    const change = changeOf(table.name, parts, people);
    for await (const lines of batches(parts.reader.lines(path), table)) {
      const changed = change === undefined ? lines : await Promise.all(lines.map(async (line) => change(parse(line))));
      rows += lines.length;
      await insert(parts, table, { lines, changed });
    }
    written[table.name] = rows;
  }
  await settle(parts.client);
  return written;
}

/** Rows that refer to others of their own table go together. */
async function* batches(lines: AsyncIterable<string>, { name, refersToItself }: TenantTable): AsyncGenerator<string[]> {
  const atOnce = name === 'blobs' ? BLOBS_AT_ONCE : refersToItself ? Infinity : ROWS_AT_ONCE;
  let batch: string[] = [];
  for await (const line of lines) {
    batch.push(line);
    if (batch.length < atOnce) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

function parse(line: string): Row {
  return z.record(z.string(), z.unknown()).parse(JSON.parse(line));
}

/** What is different here about a table's rows; undefined where they go in as they came, unread. */
function changeOf(
  table: string,
  { client, reader, slug, key, vault }: RowsParts,
  people: Map<string, string>,
): ((row: Row) => Promise<string>) | undefined {
  switch (table) {
    case 'tenants':
      return async (row) => JSON.stringify({ ...row, slug, plan: await planOf(client, row['plan']) });
    case 'members':
      return async ({ email, ...row }) => {
        const accountId = await accountOf(client, String(email), String(row['account_id']));
        people.set(String(row['account_id']), accountId);
        return JSON.stringify({ ...row, account_id: accountId });
      };
    case 'server_people':
      return async (row) => JSON.stringify({ ...row, who: people.get(String(row['who'])) ?? row['who'] });
    case 'data_keys':
      return async ({ sealed, ...row }) => {
        if (key === undefined) throw new ArchiveError('The archive holds data keys and says that it has none.');
        const moved = { id: String(row['id']), sealed: Buffer.from(String(sealed), 'base64') };
        const { wrapped, wrappingKeyId } = vault.adoptKey(String(row['tenant_id']), moved, key);
        return JSON.stringify({ ...row, wrapped: `\\x${wrapped.toString('hex')}`, wrapping_key_id: wrappingKeyId });
      };
    case 'blobs':
      return async (row) => {
        const content = await blobOf(reader, String(row['digest']));
        return JSON.stringify({ ...row, content: `\\x${content.toString('hex')}` });
      };
    case 'registry_entries':
      // Whether everybody finds it here is decided here.
      return async (row) => JSON.stringify({ ...row, tenant_slug: slug, visibility: 'tenant' });
    case 'webhooks':
      return async (row) =>
        JSON.stringify({
          ...row,
          state: 'paused',
          paused_because: 'asked',
          stream_next: 0,
          stream_end: null,
          stream_job_id: null,
        });
    default:
      return undefined;
  }
}

async function planOf(client: Client, plan: unknown): Promise<string> {
  const { rows } = await client.query<{ name: string }>(`select name from plans where name = $1`, [plan]);
  return rows[0]?.name ?? 'free';
}

/** Bytes are found by their hash, so they have to be what they are called. */
async function blobOf(reader: ArchiveReader, digest: string): Promise<Buffer> {
  const content = await reader.bytes(`blobs/${digest.replace('sha256:', '')}`);
  if (`sha256:${createHash('sha256').update(content).digest('hex')}` !== digest)
    throw new ArchiveError(`The archive’s blob ${digest} is not what it is called. Use another copy.`);
  return content;
}

/**
 * Writes rows of the archive's own tenant: the owner of the schema may pass row-level security by, so a row that says it is
 * another tenant's is looked for here. Columns that the table does not have, or that no archive has, are refused; those that
 * the archive lacks get their defaults.
 */
async function insert(
  { client, reader }: RowsParts,
  table: TenantTable,
  { lines, changed }: { readonly lines: readonly string[]; readonly changed: readonly string[] },
): Promise<void> {
  requireColumns(table, lines[0]);
  const names = Object.keys(parse(changed[0] ?? '{}')).map(quoted);
  const { rowCount } = await client.query(
    `insert into ${quoted(table.name)} (${names.join(', ')})
     select ${names.join(', ')} from json_populate_recordset(null::${quoted(table.name)}, $1::json)
     where ${quoted(table.tenantColumn)} = $2`,
    [`[${changed.join(',')}]`, reader.manifest.tenant.id],
  );
  if (rowCount !== changed.length)
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
async function settle(client: Client): Promise<void> {
  const tenant = `tenant_id = current_setting('app.tenant_id')::uuid`;
  await client.query(
    `update rollouts set state = 'aborted', ended_at = now(), percent = 0, reason = 'the tenant was imported'
     where ${tenant} and state in ('checking', 'running', 'paused', 'draining')`,
  );
  await client.query(`update releases set state = 'ready' where ${tenant} and state in ('publishing', 'candidate')`);
  await client.query('set constraints all immediate');
}
