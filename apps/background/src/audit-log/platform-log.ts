import type { KeyObject } from 'node:crypto';
import {
  checkpointOrigin,
  MerkleTree,
  operatorLeaf,
  PLATFORM_LOG,
  platformTileReader,
  signCheckpoint,
  toOperatorRecord,
  type OperatorRow,
  type Tile,
} from '#libs/audit';
import type { Database, Transaction } from '#libs/database';

const BATCH = 500;

/**
 * Numbers what operators did: each act becomes a leaf of the platform's own tree, and whenever the tree has grown it gets
 * a signed checkpoint, in one transaction. Any number of processes may do it.
 */
export class PlatformLog {
  constructor(
    private readonly database: Database,
    private readonly key: KeyObject,
    private readonly publicUrl: URL,
  ) {}

  /** Numbers what has no number yet; returns how much. */
  async sequence(): Promise<number> {
    return this.database.asService(async (tx) => {
      const [lock]: Array<{ locked: boolean }> = await tx.query(
        `select pg_try_advisory_xact_lock(hashtextextended('wharf:platform-log', 0)) as locked`,
      );
      if (lock?.locked !== true) return 0;
      const rows = await readArrivals(tx);
      if (rows.length === 0) return 0;
      const [log]: Array<{ size: string }> = await tx.query(
        `select coalesce(max(leaf_index) + 1, 0) as size from operator_log`,
      );
      const before = Number(log?.size ?? 0);
      const grown = await new MerkleTree(before, platformTileReader(tx)).grow(
        rows.map((row) => operatorLeaf(toOperatorRecord(row))),
      );
      await keep(tx, before, rows, grown.tiles);
      await this.#sign(tx, grown.tree);
      return rows.length;
    });
  }

  async #sign(tx: Transaction, tree: MerkleTree): Promise<void> {
    const rootHash = await tree.root();
    const origin = checkpointOrigin(this.publicUrl, PLATFORM_LOG);
    const note = signCheckpoint({ origin, treeSize: tree.size, rootHash }, this.key);
    await tx.query(`insert into platform_checkpoints (size, root, note) values ($1, $2, $3)`, [
      tree.size,
      rootHash,
      note,
    ]);
  }
}

/** Acts without a number. No transaction is open for an hour, so that older ones have theirs. */
async function readArrivals(tx: Transaction): Promise<OperatorRow[]> {
  return tx.query(
    `select a.id, a.at, a.operator_id, a.action, a.reason, a.tenant_id, a.details from operator_actions a
     where a.at > coalesce((select max(at) from operator_log), '-infinity') - interval '1 hour'
       and not exists (select from operator_log l where l.action_id = a.id)
     order by a.at, a.id limit $1`,
    [BATCH],
  );
}

async function keep(
  tx: Transaction,
  first: number,
  rows: readonly OperatorRow[],
  tiles: readonly Tile[],
): Promise<void> {
  await tx.query(
    `insert into operator_log (leaf_index, action_id, at)
     select $1::bigint + n.place - 1, a.id, a.at from unnest($2::uuid[]) with ordinality as n (id, place)
     join operator_actions a on a.id = n.id`,
    [first, rows.map(({ id }) => id)],
  );
  for (const { level, index, hashes } of tiles) {
    await tx.query(
      `insert into platform_tiles (level, tile_index, hashes) values ($1, $2, $3)
       on conflict (level, tile_index) do update set hashes = excluded.hashes`,
      [level, index, hashes],
    );
  }
}
