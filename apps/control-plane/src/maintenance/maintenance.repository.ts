import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';

/** Maintenance that goes on: of a region, or of everything. */
export interface MaintenanceRow {
  readonly region: string | null;
  readonly mode: 'management' | 'everything';
  readonly message: string;
  readonly until: Date;
}

/** The platform's maintenance. */
@Injectable()
export class MaintenanceRepository {
  /** All that goes on: that of everything first, then by region. */
  list(tx: Transaction): Promise<MaintenanceRow[]> {
    return tx.query(
      `select null as region, mode, message, until from maintenance where until > now()
       union all select region, mode, message, until from region_maintenance where until > now()
       order by region nulls first`,
    );
  }

  /** As `list`, kept from other changes until the transaction ends. */
  async lock(tx: Transaction): Promise<MaintenanceRow[]> {
    await tx.query(`select pg_advisory_xact_lock(hashtextextended('maintenance', 0))`);
    return this.list(tx);
  }

  async begin(
    tx: Transaction,
    row: Omit<MaintenanceRow, 'until'> & { minutes: number; reason: string },
  ): Promise<void> {
    const { region, mode, message, reason, minutes } = row;
    if (region !== null) {
      await tx.query(
        `insert into region_maintenance (region, mode, message, reason, until)
         values ($1, $2, $3, $4, now() + make_interval(mins => $5))
         on conflict (region) do update set mode = excluded.mode, message = excluded.message, reason = excluded.reason,
           until = excluded.until`,
        [region, mode, message, reason, minutes],
      );
      return;
    }
    await tx.query(
      `insert into maintenance (mode, message, reason, until) values ($1, $2, $3, now() + make_interval(mins => $4))
       on conflict (singleton) do update set mode = excluded.mode, message = excluded.message,
         reason = excluded.reason, until = excluded.until`,
      [mode, message, reason, minutes],
    );
  }

  /** False where none goes on. */
  async end(tx: Transaction, region: string | null): Promise<boolean> {
    const going = 'until > now() as going';
    const [ended]: [Array<{ going: boolean }>, number] = await (region === null
      ? tx.query(`delete from maintenance returning ${going}`)
      : tx.query(`delete from region_maintenance where region = $1 returning ${going}`, [region]));
    return ended.some((one) => one.going);
  }
}
