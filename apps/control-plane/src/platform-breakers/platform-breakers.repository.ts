import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';

/** What an operator said about a breaker. */
export interface OrderRow {
  readonly origin: string;
  readonly open_until: Date | null;
  readonly reset_at: Date | null;
  readonly reason: string;
  readonly ordered_at: Date;
}

const COLUMNS = `origin, open_until, reset_at, reason, ordered_at`;

/** Operators' words on breakers of one tenant, whose the transaction is. */
@Injectable()
export class PlatformBreakersRepository {
  /** Those of the last day, and those that hold. */
  list(tx: Transaction, tenantId: string): Promise<OrderRow[]> {
    return tx.query(
      `select ${COLUMNS} from breaker_orders
       where tenant_id = $1 and (open_until > now() or ordered_at > now() - interval '1 day') order by origin`,
      [tenantId],
    );
  }

  /** Holds a breaker open for `minutes`; without, has it begin anew. What has had its effect is forgotten. */
  async order(
    tx: Transaction,
    tenantId: string,
    said: { origin: string; minutes: number | undefined; reason: string },
  ): Promise<OrderRow | undefined> {
    await tx.query(
      `delete from breaker_orders where tenant_id = $1 and ordered_at < now() - interval '1 day'
         and (open_until is null or open_until < now())`,
      [tenantId],
    );
    const rows: OrderRow[] = await tx.query(
      `insert into breaker_orders (tenant_id, origin, open_until, reset_at, reason)
       values ($1, $2, now() + make_interval(mins => $3::int), case when $3::int is null then now() end, $4)
       on conflict (tenant_id, origin) do update set open_until = excluded.open_until, reset_at = excluded.reset_at,
         reason = excluded.reason, ordered_at = now()
       returning ${COLUMNS}`,
      [tenantId, said.origin, said.minutes ?? null, said.reason],
    );
    return rows[0];
  }
}
