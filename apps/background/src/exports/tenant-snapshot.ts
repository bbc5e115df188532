import type { Transaction } from '#libs/database';
import type { TenantVault } from '#libs/secrets';
import { COLUMNS_LEFT_OUT, CONTENT, listTenantTables, quoted, SEALED, type TenantTable } from '#libs/tenant-archive';
import type { ArchiveWriter } from './archive-writer.js';
import { JobRefused } from '../jobs/job-handler.js';

const ROWS_AT_ONCE = 500;

/** Bytes that are in the object store, where they are read when the transaction is over. */
export interface ElsewhereFile {
  readonly path: string;
  readonly digest: string;
  readonly bytes: number;
  readonly object: string;
}

/** What a snapshot is made with. */
export interface SnapshotParts {
  readonly tx: Transaction;
  readonly tenantId: string;
  readonly writer: ArchiveWriter;
  readonly vault: TenantVault;
  /** What secrets are sealed under; undefined where they are left out. */
  readonly exportKey: Buffer | undefined;
  readonly onFile: (path: string) => void;
}

/** Which tables go along, in the order to write them in, and what is left out, with the reason. */
export interface Selection {
  readonly tables: readonly TenantTable[];
  readonly leftOut: Readonly<Record<string, string>>;
}

/** Looks at every tenant table there is. @throws JobRefused for one of which nobody has decided what becomes of it */
export async function selectTables(tx: Transaction, secrets: 'sealed' | 'left_out'): Promise<Selection> {
  const known = await listTenantTables((sql, values) => tx.query(sql, values === undefined ? undefined : [...values]));
  const leftOut: Record<string, string> = {};
  const tables = known.filter(({ name }) => {
    const content = CONTENT[name];
    if (content === undefined) throw new JobRefused(`Nothing says whether ${name} is exported; tell the operator.`);
    if (content.kind === 'left-out') leftOut[name] = content.reason;
    if (content.kind !== 'rows') return false;
    if (secrets === 'left_out' && SEALED.has(name)) {
      leftOut[name] = 'holds secrets, which were to be left out';
      return false;
    }
    return true;
  });
  return { tables, leftOut };
}

/** Writes the rows of the tables, a line of JSON each, and the bytes that are in them. Returns what is elsewhere. */
export async function writeTables(parts: SnapshotParts, tables: readonly TenantTable[]): Promise<ElsewhereFile[]> {
  for (const table of tables) {
    const path = `tables/${table.name}.ndjson`;
    parts.onFile(path);
    let rows = 0;
    const counted = async function* (): AsyncGenerator<string> {
      for await (const lines of table.name === 'data_keys' ? keyLines(parts) : linesOf(parts.tx, table)) {
        rows += lines.length;
        yield lines.join('');
      }
    };
    await parts.writer.add(path, counted(), () => rows);
  }
  return writeBlobs(parts);
}

/** What is sealed goes as it is, under data keys that are sealed anew; so no purpose needs to be known here. */
async function* keyLines({ tx, tenantId, vault, exportKey }: SnapshotParts): AsyncGenerator<string[]> {
  if (exportKey === undefined) return;
  const keys = await vault.sealKeysFor(tx, tenantId, exportKey);
  yield keys.map(
    ({ id, sealed, createdAt }) =>
      `${JSON.stringify({ tenant_id: tenantId, id, sealed: sealed.toString('base64'), created_at: createdAt })}\n`,
  );
}

async function* linesOf(tx: Transaction, table: TenantTable): AsyncGenerator<string[]> {
  await tx.query(`declare exported no scroll cursor for ${selectOf(table)}`);
  for (let more = true; more;) {
    const rows: Array<{ line: string }> = await tx.query(`fetch ${ROWS_AT_ONCE} from exported`);
    if (rows.length > 0) yield rows.map(({ line }) => `${line}\n`);
    more = rows.length === ROWS_AT_ONCE;
  }
  await tx.query(`close exported`);
}

/** Members go with their address, by which they are found elsewhere; people of the tenant's provider sign in there again. */
function selectOf({ name, tenantColumn, columns, key }: TenantTable): string {
  const tenant = `current_setting('app.tenant_id')::uuid`;
  if (name === 'members')
    return `select row_to_json(x)::text as line from (select m.*, a.email from members m join accounts a on a.id = m.account_id
      where m.tenant_id = ${tenant} and a.home_tenant_id is null order by m.account_id) x`;
  const kept = columns.filter((column) => COLUMNS_LEFT_OUT[name]?.includes(column) !== true).map(quoted);
  return `select row_to_json(x)::text as line from (select ${kept.join(', ')} from ${quoted(name)}
    where ${tenantColumn} = ${tenant} order by ${key.map(quoted).join(', ')}) x`;
}

async function writeBlobs({ tx, tenantId, writer, onFile }: SnapshotParts): Promise<ElsewhereFile[]> {
  const blobs: Array<{ digest: string; bytes: number; object: string | null }> = await tx.query(
    `select digest, bytes, object from blobs where tenant_id = $1 order by digest`,
    [tenantId],
  );
  const elsewhere: ElsewhereFile[] = [];
  for (const { digest, bytes, object } of blobs) {
    const path = `blobs/${digest.replace('sha256:', '')}`;
    if (object !== null) {
      elsewhere.push({ path, digest, bytes, object });
      continue;
    }
    onFile(path);
    const [row]: Array<{ content: Buffer }> = await tx.query(
      `select content from blobs where tenant_id = $1 and digest = $2`,
      [tenantId, digest],
    );
    await writer.add(path, [row?.content ?? Buffer.alloc(0)]);
  }
  return elsewhere;
}
