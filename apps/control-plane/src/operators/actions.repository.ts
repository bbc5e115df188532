import { Injectable } from '@nestjs/common';
import type { OperatorRow } from '#libs/audit';
import type { Transaction } from '#libs/database';

/** An operator's act with its operator. */
export interface ActionRow {
  readonly id: string;
  readonly at: Date;
  readonly operator_id: string;
  readonly operator_name: string;
  readonly action: string;
  readonly reason: string;
  readonly tenant_id: string | null;
  readonly details: Record<string, unknown>;
}

/** Which acts to list. */
export interface ActionFilter {
  readonly operator?: string | undefined;
  readonly tenant_id?: string | undefined;
  /** The whole name, or what stands before its point. */
  readonly action?: string | undefined;
  readonly outcome?: string | undefined;
  readonly q?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** An act with its number in the platform's log. */
export interface NumberedAction extends OperatorRow {
  readonly leaf_index: string;
}

/** A checkpoint of the platform's tree. */
export interface PlatformCheckpointRow {
  readonly id: string;
  readonly size: string;
  readonly root: Buffer;
  readonly note: string;
  readonly created_at: Date;
}

/** The platform's own audit. */
@Injectable()
export class ActionsRepository {
  async list(
    tx: Transaction,
    { operator, tenant_id: tenantId, action, outcome, q, from, to }: ActionFilter,
    page: { limit: number; cursor?: string | undefined },
  ): Promise<ActionRow[]> {
    const pattern = q === undefined ? null : `%${q.replaceAll(/[\\%_]/g, '\\$&')}%`;
    return tx.query(
      `select a.id, a.at, a.operator_id, o.name as operator_name, a.action, a.reason, a.tenant_id, a.details
       from operator_actions a join operators o on o.id = a.operator_id
       where ($1::uuid is null or (a.at, a.id) < (select c.at, c.id from operator_actions c where c.id = $1))
         and ($3::uuid is null or a.operator_id = $3) and ($4::uuid is null or a.tenant_id = $4)
         and ($5::text is null or a.action = $5 or starts_with(a.action, $5 || '.')) and ($6::text is null or a.reason ilike $6)
         and ($7::timestamptz is null or a.at >= $7) and ($8::timestamptz is null or a.at < $8)
         and ($9::text is null or a.details ->> 'outcome' = $9)
       order by a.at desc, a.id desc limit $2`,
      [
        page.cursor ?? null,
        page.limit,
        operator ?? null,
        tenantId ?? null,
        action ?? null,
        pattern,
        from ?? null,
        to ?? null,
        outcome ?? null,
      ],
    );
  }

  /** Checkpoints of fewer acts than `before`, newest first. */
  async listCheckpoints(tx: Transaction, before: string | undefined, limit: number): Promise<PlatformCheckpointRow[]> {
    return tx.query(
      `select size::text as id, size, root, note, created_at from platform_checkpoints
       where $1::bigint is null or size < $1 order by size desc limit $2`,
      [before ?? null, limit],
    );
  }

  async listKeys(tx: Transaction): Promise<Array<{ public_key: Buffer }>> {
    return tx.query(`select public_key from audit_keys order by created_at desc, id desc`);
  }

  /** How many acts have a number. */
  async logSize(tx: Transaction): Promise<number> {
    const rows: Array<{ size: string }> = await tx.query(
      `select coalesce(max(leaf_index) + 1, 0) as size from operator_log`,
    );
    return Number(rows[0]?.size ?? 0);
  }

  /** The number of an act; undefined where there is no such act, null where it has none yet. */
  async findLeaf(tx: Transaction, id: string): Promise<number | null | undefined> {
    const rows: Array<{ leaf_index: string | null }> = await tx.query(
      `select l.leaf_index from operator_actions a left join operator_log l on l.action_id = a.id where a.id = $1`,
      [id],
    );
    const [row] = rows;
    if (row === undefined) return undefined;
    return row.leaf_index === null ? null : Number(row.leaf_index);
  }

  /** Acts with numbers from `from` to before `end`, in their order; one that is missing is left out. */
  async listNumbered(tx: Transaction, from: number, end: number): Promise<NumberedAction[]> {
    return tx.query(
      `select l.leaf_index, a.id, a.at, a.operator_id, a.action, a.reason, a.tenant_id, a.details
       from operator_log l join operator_actions a on a.id = l.action_id
       where l.leaf_index >= $1 and l.leaf_index < $2 order by l.leaf_index`,
      [from, end],
    );
  }
}
