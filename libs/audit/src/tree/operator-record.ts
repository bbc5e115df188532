import type { Transaction } from '#libs/database';
import { canonicalJson } from '#libs/protocol';
import { leafHash, type TileReader } from './merkle-tree.js';

/** An operator's act as it is hashed into the platform's tree and exported; every member counts. */
export interface OperatorRecord {
  readonly id: string;
  /** ISO 8601, milliseconds, UTC. */
  readonly at: string;
  readonly operator_id: string;
  readonly action: string;
  readonly reason: string;
  readonly tenant_id: string | null;
  readonly details: Readonly<Record<string, unknown>>;
}

/** A row of `operator_actions`. */
export interface OperatorRow extends Omit<OperatorRecord, 'at'> {
  readonly at: Date;
}

/** What takes a tenant's place in the origin of the platform's own checkpoints. */
export const PLATFORM_LOG = 'platform';

/** The record of a row. */
export function toOperatorRecord({
  id,
  at,
  operator_id,
  action,
  reason,
  tenant_id,
  details,
}: OperatorRow): OperatorRecord {
  return { id, at: at.toISOString(), operator_id, action, reason, tenant_id, details };
}

/** The leaf of an act: the hash of its canonical JSON (RFC 8785, RFC 9162). */
export function operatorLeaf(record: OperatorRecord): Buffer {
  return leafHash(canonicalJson(record));
}

/** Reads tiles of the platform's tree; one that is not there is empty. */
export function platformTileReader(tx: Transaction): TileReader {
  return async (level, index) => {
    const rows: Array<{ hashes: Buffer }> = await tx.query(
      `select hashes from platform_tiles where level = $1 and tile_index = $2`,
      [level, index],
    );
    return rows[0]?.hashes ?? Buffer.alloc(0);
  };
}
