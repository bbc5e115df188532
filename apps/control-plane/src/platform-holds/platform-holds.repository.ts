import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';

/** One legal hold of a tenant. */
export interface HoldRow {
  readonly id: string;
  readonly reason: string;
  readonly told: boolean;
  readonly held_by: string;
  readonly since: Date;
}

const COLUMNS = `id, reason, told, held_by, since`;

/** Legal holds, as `wharf_operator` may place and lift them. A tenant is held while a row stands. */
@Injectable()
export class PlatformHoldsRepository {
  async list(tx: Transaction, tenantId: string): Promise<HoldRow[]> {
    return tx.query(`select ${COLUMNS} from legal_holds where tenant_id = $1 order by since, id`, [tenantId]);
  }

  /** Places a hold; undefined where the tenant is under `max` already. The tenant is locked. */
  async place(
    tx: Transaction,
    tenantId: string,
    { id, reason, told, held_by: heldBy, max }: Omit<HoldRow, 'since'> & { readonly max: number },
  ): Promise<HoldRow | undefined> {
    const rows: HoldRow[] = await tx.query(
      `insert into legal_holds (tenant_id, id, reason, told, held_by) select $1, $2, $3, $4, $5
       where (select count(*) from legal_holds where tenant_id = $1) < $6 returning ${COLUMNS}`,
      [tenantId, id, reason, told, heldBy, max],
    );
    return rows[0];
  }

  /** Lifts a hold; whether the tenant knew of it, undefined where it does not stand. */
  async lift(tx: Transaction, tenantId: string, id: string): Promise<{ told: boolean } | undefined> {
    const [rows]: [Array<{ told: boolean }>, number] = await tx.query(
      `delete from legal_holds where tenant_id = $1 and id = $2 returning told`,
      [tenantId, id],
    );
    return rows[0];
  }
}
