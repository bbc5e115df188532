import { Injectable } from '@nestjs/common';
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

/** The platform's own audit. */
@Injectable()
export class ActionsRepository {
  async list(tx: Transaction, page: { limit: number; cursor?: string | undefined }): Promise<ActionRow[]> {
    return tx.query(
      `select a.id, a.at, a.operator_id, o.name as operator_name, a.action, a.reason, a.tenant_id, a.details
       from operator_actions a join operators o on o.id = a.operator_id
       where $1::uuid is null or (a.at, a.id) < (select c.at, c.id from operator_actions c where c.id = $1)
       order by a.at desc, a.id desc limit $2`,
      [page.cursor ?? null, page.limit],
    );
  }
}
