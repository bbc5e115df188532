import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';

/** A checkpoint of a tenant's tree. */
export interface CheckpointRow {
  readonly id: string;
  readonly size: number;
  readonly root: Buffer;
  readonly note: string;
  readonly created_at: Date;
}

/** Trees, checkpoints and keys of a tenant's audit log. */
@Injectable()
export class AuditProofsRepository {
  /** Checkpoints of fewer records than `before`, newest first. */
  async listCheckpoints(
    tx: Transaction,
    tenantId: string,
    before: string | undefined,
    limit: number,
  ): Promise<CheckpointRow[]> {
    const rows: Array<Omit<CheckpointRow, 'id' | 'size'> & { size: string }> = await tx.query(
      `select size, root, note, created_at from audit_checkpoints
       where tenant_id = $1 and ($2::bigint is null or size < $2) order by size desc limit $3`,
      [tenantId, before ?? null, limit],
    );
    return rows.map((row) => ({ ...row, id: row.size, size: Number(row.size) }));
  }

  async listKeys(tx: Transaction): Promise<Array<{ public_key: Buffer; created_at: Date }>> {
    return tx.query(`select public_key, created_at from audit_keys order by created_at desc, id desc`);
  }

  /** How many records the tree has; 0 while it has none. */
  async treeSize(tx: Transaction, tenantId: string): Promise<number> {
    const rows: Array<{ size: string }> = await tx.query(`select size from audit_trees where tenant_id = $1`, [
      tenantId,
    ]);
    return Number(rows[0]?.size ?? 0);
  }

  /** The number of a record; undefined where there is no such record, null where it has none yet. */
  async findLeaf(tx: Transaction, tenantId: string, id: string): Promise<number | null | undefined> {
    const rows: Array<{ leaf_index: string | null }> = await tx.query(
      `select leaf_index from audit_log where tenant_id = $1 and id = $2
       union all select null from audit_records where tenant_id = $1 and id = $2 limit 1`,
      [tenantId, id],
    );
    const [row] = rows;
    if (row === undefined) return undefined;
    return row.leaf_index === null ? null : Number(row.leaf_index);
  }

  /** Whether a legal hold keeps everything of the tenant. */
  async isHeld(tx: Transaction, tenantId: string): Promise<boolean> {
    const rows: unknown[] = await tx.query(`select from legal_holds where tenant_id = $1`, [tenantId]);
    return rows.length > 0;
  }

  /** Forgets the key of a person. Returns whether there was one. */
  async shredPerson(tx: Transaction, tenantId: string, personId: string): Promise<boolean> {
    const [, deleted]: [unknown, number] = await tx.query(
      `delete from person_keys where tenant_id = $1 and person_id = $2`,
      [tenantId, personId],
    );
    return deleted > 0;
  }
}
