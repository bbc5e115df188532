import {
  checkpointOrigin,
  exportLine,
  findArchive,
  MerkleTree,
  tileReader,
  toLogRecord,
  treeLine,
  verifierKey,
} from '#libs/audit';
import type { Transaction } from '#libs/database';
import { readRange } from '../audit-log/archive.repository.js';
import type { ElsewhereFile, SnapshotParts } from './tenant-snapshot.js';

const RECORDS_AT_ONCE = 500;

interface TreeState {
  readonly archived: number;
  readonly signed: number;
  readonly size: number;
}

/**
 * Writes the audit log as `wharf-verify` checks it: `key.txt`, `records.ndjson` and `checkpoint.txt` are its three files;
 * then every checkpoint, every archive, and the records that no checkpoint covers yet. Returns what is elsewhere.
 */
export async function writeAudit(parts: SnapshotParts, publicUrl: string): Promise<ElsewhereFile[]> {
  const { tx, tenantId, writer } = parts;
  const add = async (name: string, chunks: Iterable<string | Buffer> | AsyncIterable<string | Buffer>) => {
    parts.onFile(`audit/${name}`);
    await writer.add(`audit/${name}`, chunks);
  };
  const tree = await treeOf(tx, tenantId);
  await add('key.txt', [await keysOf(tx, tenantId, publicUrl)]);
  await add('records.ndjson', recordsOf(tx, tenantId, tree, { from: tree.archived, to: tree.signed }));
  const checkpoints: Array<{ size: string; note: string }> = await tx.query(
    `select size, note from audit_checkpoints where tenant_id = $1 order by size`,
    [tenantId],
  );
  await add('checkpoint.txt', [checkpoints.at(-1)?.note ?? '']);
  await add('checkpoints.ndjson', [checkpoints.map((row) => `${JSON.stringify(row)}\n`).join('')]);
  await add('records-after.ndjson', recordsOf(tx, tenantId, tree, { from: tree.signed, to: tree.size }));
  await add('arrivals.ndjson', arrivalsOf(tx, tenantId));
  return writeArchives(parts);
}

async function treeOf(tx: Transaction, tenantId: string): Promise<TreeState> {
  const [row]: Array<{ size: string; checkpoint_size: string; archived: string }> = await tx.query(
    `select size, checkpoint_size, archived from audit_trees where tenant_id = $1`,
    [tenantId],
  );
  const [archived, signed] = [Number(row?.archived ?? 0), Number(row?.checkpoint_size ?? 0)];
  return { archived, signed: Math.max(archived, signed), size: Number(row?.size ?? 0) };
}

async function keysOf(tx: Transaction, tenantId: string, publicUrl: string): Promise<string> {
  const rows: Array<{ public_key: Buffer }> = await tx.query(
    `select public_key from audit_keys order by created_at desc, id desc`,
  );
  const origin = checkpointOrigin(new URL(publicUrl), tenantId);
  return rows.map((row) => `${verifierKey(origin, row.public_key)}\n`).join('');
}

async function* recordsOf(
  tx: Transaction,
  tenantId: string,
  { size }: TreeState,
  { from, to }: { readonly from: number; readonly to: number },
): AsyncGenerator<string> {
  const tree = new MerkleTree(size, tileReader(tx, tenantId));
  if (from > 0 && to > from) yield treeLine(from, await new MerkleTree(from, tileReader(tx, tenantId)).frontier(from));
  for (let next = from; next < to; next += RECORDS_AT_ONCE) {
    const lines: string[] = [];
    for (const row of await readRange(tx, tenantId, next, Math.min(to, next + RECORDS_AT_ONCE))) {
      const leaf = Number(row.leaf_index);
      // The hash that the tree holds, not a new one: a record that was changed must not leave with a hash that fits it.
      lines.push(exportLine(leaf, await tree.leaf(leaf), toLogRecord(tenantId, row)));
    }
    yield lines.join('');
  }
}

/** Records that have no number yet: nothing proves them. */
async function* arrivalsOf(tx: Transaction, tenantId: string): AsyncGenerator<string> {
  let after = '00000000-0000-0000-0000-000000000000';
  for (;;) {
    const rows: Array<{ id: string; line: string }> = await tx.query(
      `select id, row_to_json(r)::text as line from audit_records r where tenant_id = $1 and id > $2 order by id limit $3`,
      [tenantId, after, RECORDS_AT_ONCE],
    );
    yield rows.map(({ line }) => `${line}\n`).join('');
    if (rows.length < RECORDS_AT_ONCE) return;
    after = rows.at(-1)?.id ?? after;
  }
}

async function writeArchives({ tx, tenantId, writer, onFile }: SnapshotParts): Promise<ElsewhereFile[]> {
  const archives: Array<{ first_leaf: string; digest: string; bytes: number; object: string | null }> = await tx.query(
    `select first_leaf, digest, bytes, object from audit_archives where tenant_id = $1 order by first_leaf`,
    [tenantId],
  );
  const elsewhere: ElsewhereFile[] = [];
  for (const { first_leaf: first, digest, bytes, object } of archives) {
    const path = `audit/archives/${first}.ndjson.gz`;
    if (object !== null) {
      elsewhere.push({ path, digest, bytes, object });
      continue;
    }
    onFile(path);
    const archive = await findArchive(tx, tenantId, Number(first));
    await writer.add(path, [archive?.content ?? Buffer.alloc(0)]);
  }
  return elsewhere;
}
