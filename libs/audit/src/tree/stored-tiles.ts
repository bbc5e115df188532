import type { Transaction } from '#libs/database';
import type { TileReader } from './merkle-tree.js';

/** Reads tiles of a tenant's tree in its transaction; one that is not there is empty. */
export function tileReader(tx: Transaction, tenantId: string): TileReader {
  return async (level, index) => {
    const rows: Array<{ hashes: Buffer }> = await tx.query(
      `select hashes from audit_tiles where tenant_id = $1 and level = $2 and tile_index = $3`,
      [tenantId, level, index],
    );
    return rows[0]?.hashes ?? Buffer.alloc(0);
  };
}
