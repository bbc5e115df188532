import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';

/** An announcement. */
export interface AnnouncementRow {
  readonly id: string;
  readonly region: string | null;
  readonly severity: 'info' | 'warning' | 'critical';
  readonly text: string;
  readonly starts_at: Date;
  readonly ends_at: Date;
  readonly withdrawn_at: Date | null;
}

const COLUMNS = `id, region, severity, text, starts_at, ends_at, withdrawn_at`;
const PRESENT = `withdrawn_at is null and ends_at > now()`;

/** Announcements of the operators. */
@Injectable()
export class AnnouncementsRepository {
  /** Those that hold now, for everybody or for this region. */
  present(tx: Transaction, limit: number, region: string | undefined): Promise<AnnouncementRow[]> {
    return tx.query(
      `select ${COLUMNS} from announcements where ${PRESENT} and starts_at <= now()
         and (region is null or region = $2) order by starts_at desc, id desc limit $1`,
      [limit, region ?? null],
    );
  }

  /** How many hold now or are to come. */
  async countPresent(tx: Transaction): Promise<number> {
    const rows: Array<{ count: number }> = await tx.query(
      `select count(*)::int as count from announcements where ${PRESENT}`,
    );
    return rows[0]?.count ?? 0;
  }

  list(tx: Transaction, page: { limit: number; cursor?: string | undefined }): Promise<AnnouncementRow[]> {
    return tx.query(
      `select ${COLUMNS} from announcements where $1::uuid is null or id < $1 order by id desc limit $2`,
      [page.cursor ?? null, page.limit],
    );
  }

  async insert(
    tx: Transaction,
    row: {
      id: string;
      region?: string | undefined;
      severity: string;
      text: string;
      starts_at?: string | undefined;
      ends_at: string;
    },
  ): Promise<AnnouncementRow | undefined> {
    const rows: AnnouncementRow[] = await tx.query(
      `insert into announcements (id, severity, text, starts_at, ends_at, region)
       values ($1, $2, $3, coalesce($4::timestamptz, now()), $5, $6) returning ${COLUMNS}`,
      [row.id, row.severity, row.text, row.starts_at ?? null, row.ends_at, row.region ?? null],
    );
    return rows[0];
  }

  /** Withdraws one; false where there is none that holds. */
  async withdraw(tx: Transaction, id: string): Promise<boolean> {
    const [, count] = await tx.query(
      `update announcements set withdrawn_at = now() where id = $1 and withdrawn_at is null`,
      [id],
    );
    return count === 1;
  }
}
