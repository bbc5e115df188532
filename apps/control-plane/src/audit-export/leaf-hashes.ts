import { HASH_BYTES, TILE_WIDTH } from '#libs/audit';
import type { Transaction } from '#libs/database';

/** The hashes of leaves as the tree holds them, in base64; empty for one that it does not hold. */
export async function readLeafHashes(tx: Transaction, tenantId: string, leaves: readonly number[]): Promise<string[]> {
  const tiles = [...new Set(leaves.map((leaf) => Math.floor(leaf / TILE_WIDTH)))];
  const rows: Array<{ tile_index: string; hashes: Buffer }> = await tx.query(
    `select tile_index, hashes from audit_tiles where tenant_id = $1 and level = 0 and tile_index = any($2)`,
    [tenantId, tiles],
  );
  const held = new Map(rows.map((row) => [Number(row.tile_index), row.hashes]));
  return leaves.map((leaf) => {
    const at = (leaf % TILE_WIDTH) * HASH_BYTES;
    return (
      held
        .get(Math.floor(leaf / TILE_WIDTH))
        ?.subarray(at, at + HASH_BYTES)
        .toString('base64') ?? ''
    );
  });
}

/** How many records are in archives and no longer in the log. */
export async function findArchived(tx: Transaction, tenantId: string): Promise<number> {
  const rows: Array<{ archived: string }> = await tx.query(`select archived from audit_trees where tenant_id = $1`, [
    tenantId,
  ]);
  return Number(rows[0]?.archived ?? 0);
}
