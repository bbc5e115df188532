import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';

/** Maintenance that goes on. */
export interface MaintenanceRow {
  readonly mode: 'management' | 'everything';
  readonly message: string;
  readonly until: Date;
}

/** The platform's maintenance. */
@Injectable()
export class MaintenanceRepository {
  async find(tx: Transaction): Promise<MaintenanceRow | undefined> {
    const rows: MaintenanceRow[] = await tx.query(`select mode, message, until from maintenance where until > now()`);
    return rows[0];
  }

  async begin(
    tx: Transaction,
    row: { mode: MaintenanceRow['mode']; message: string; minutes: number; reason: string },
  ): Promise<void> {
    await tx.query(
      `insert into maintenance (mode, message, reason, until) values ($1, $2, $3, now() + make_interval(mins => $4))
       on conflict (singleton) do update set mode = excluded.mode, message = excluded.message,
         reason = excluded.reason, until = excluded.until`,
      [row.mode, row.message, row.reason, row.minutes],
    );
  }

  async end(tx: Transaction): Promise<void> {
    await tx.query(`delete from maintenance`);
  }
}
