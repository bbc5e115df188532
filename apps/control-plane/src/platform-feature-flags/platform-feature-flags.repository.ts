import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';
import type { FlagName } from '#libs/flags';

/** For which part of the tenants flags are on. */
@Injectable()
export class PlatformFeatureFlagsRepository {
  async list(tx: Transaction): Promise<ReadonlyMap<string, number>> {
    const rows: Array<{ flag: string; percent: number }> = await tx.query(`select flag, percent from feature_flags`);
    return new Map(rows.map(({ flag, percent }) => [flag, percent]));
  }

  async set(tx: Transaction, flag: FlagName, percent: number): Promise<void> {
    await tx.query(
      `insert into feature_flags (flag, percent) values ($1, $2)
       on conflict (flag) do update set percent = excluded.percent, updated_at = now()`,
      [flag, percent],
    );
  }
}
