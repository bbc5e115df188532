import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';

/** A private address, or a range of them, that a tenant's tools may call. */
export interface AllowanceRow {
  readonly id: string;
  readonly host: string | null;
  readonly range: string | null;
  readonly port: number;
  readonly reason: string;
  readonly created_at: Date;
}

const COLUMNS = `id, host, range::text, port, reason, created_at`;

/** The private addresses that operators opened. */
@Injectable()
export class PlatformEgressRepository {
  async list(tx: Transaction, tenantId: string): Promise<AllowanceRow[]> {
    return tx.query(`select ${COLUMNS} from egress_allowances where tenant_id = $1 order by host, range, port`, [
      tenantId,
    ]);
  }

  /** Those of these ports after an id, in the order of ids, of every tenant that is at home in the transaction's database. */
  async listOfPorts(
    tx: Transaction,
    { ports, after, limit }: { readonly ports: readonly number[]; readonly after: string; readonly limit: number },
  ): Promise<Array<AllowanceRow & { tenant_id: string }>> {
    return tx.query(
      `select tenant_id, ${COLUMNS} from egress_allowances where port = any($1) and id > $2 and app_is_home(tenant_id)
       order by id limit $3`,
      [ports, after, limit],
    );
  }

  async insert(tx: Transaction, tenantId: string, allowance: Omit<AllowanceRow, 'created_at'>): Promise<AllowanceRow> {
    const rows: [AllowanceRow] = await tx.query(
      `insert into egress_allowances (tenant_id, id, host, range, port, reason) values ($1, $2, $3, $4, $5, $6)
       returning ${COLUMNS}`,
      [tenantId, allowance.id, allowance.host, allowance.range, allowance.port, allowance.reason],
    );
    return rows[0];
  }

  async remove(tx: Transaction, tenantId: string, id: string): Promise<AllowanceRow | undefined> {
    const rows: AllowanceRow[] = await tx.query(
      `with gone as (delete from egress_allowances where tenant_id = $1 and id = $2 returning ${COLUMNS})
       select ${COLUMNS} from gone`,
      [tenantId, id],
    );
    return rows[0];
  }
}
