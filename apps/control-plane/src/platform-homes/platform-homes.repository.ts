import { Injectable } from '@nestjs/common';
import { newId, type Transaction } from '#libs/database';

/** A tenant's move, and what was copied of it. */
export interface MoveRow {
  readonly id: string;
  readonly from_database: string | null;
  readonly to_database: string | null;
  readonly state: 'waiting' | 'leaving' | 'copied' | 'compared' | 'switched' | 'reopened' | 'done' | 'failed';
  readonly reason: string;
  readonly requested_at: Date;
  readonly closed_at: Date | null;
  readonly opened_at: Date | null;
  readonly ended_at: Date | null;
  readonly closed_seconds: number | null;
  readonly tables: number;
  readonly rows: string;
  /** People who have lost their address on the way. */
  readonly unaddressed: number;
  readonly attempts: number;
  readonly failure: string | null;
  /** Whether it may be taken back: it is not over, nobody did so, and the target is not the tenant's home yet. */
  readonly open_to_abandon: boolean;
}

/** A row of the directory of homes; a tenant that has none is at home in the common database. */
export interface HomeRow {
  readonly database: string;
  readonly state: 'leaving' | 'dedicated' | 'returning';
}

/** What the common database knows of tenants' homes and moves. */
@Injectable()
export class PlatformHomesRepository {
  async findHome(tx: Transaction, tenantId: string): Promise<HomeRow | undefined> {
    const rows: HomeRow[] = await tx.query(`select database, state from tenant_homes where tenant_id = $1`, [tenantId]);
    return rows[0];
  }

  async findLastMove(tx: Transaction, tenantId: string): Promise<MoveRow | undefined> {
    const rows: MoveRow[] = await tx.query(
      `select id, from_database, to_database, state, reason, requested_at, closed_at, opened_at, ended_at, attempts, failure,
         state in ('waiting', 'leaving', 'copied', 'compared') and settling_at is null and abandoned is null as open_to_abandon,
         extract(epoch from coalesce(opened_at, now()) - closed_at)::float8 as closed_seconds,
         coalesce(jsonb_array_length(content -> 'tables'), 0) as tables,
         coalesce(jsonb_array_length(content -> 'unaddressed'), 0) as unaddressed,
         (select coalesce(sum((t ->> 'rows')::bigint), 0) from jsonb_array_elements(content -> 'tables') t) as rows
       from tenant_moves where tenant_id = $1 order by requested_at desc, id desc limit 1`,
      [tenantId],
    );
    return rows[0];
  }

  /** Asks for a move; false where another one is not over yet. */
  async askMove(
    tx: Transaction,
    tenantId: string,
    move: { readonly from: string | null; readonly to: string | null; readonly reason: string; readonly by: string },
  ): Promise<boolean> {
    const rows: unknown[] = await tx.query(
      `insert into tenant_moves (id, tenant_id, from_database, to_database, reason, requested_by)
       values ($1, $2, $3, $4, $5, $6) on conflict (tenant_id) where state not in ('done', 'failed') do nothing
       returning id`,
      [newId(), tenantId, move.from, move.to, move.reason, move.by],
    );
    return rows.length > 0;
  }

  /** Takes a move back; false where it is too late for that. Whoever moves the tenant sees to the rest. */
  async abandonMove(tx: Transaction, id: string, reason: string): Promise<boolean> {
    const [rows]: [unknown[], number] = await tx.query(
      `update tenant_moves set abandoned = $2 where id = $1 and settling_at is null and abandoned is null
         and state in ('waiting', 'leaving', 'copied', 'compared') returning id`,
      [id, reason],
    );
    return rows.length > 0;
  }

  /** Which migrations a database has had, and what it is called; null is the common one. */
  async schemaOf(tx: Transaction): Promise<{ readonly name: string | null; readonly migrations: readonly string[] }> {
    const rows: Array<{ name: string | null; migrations: string[] }> = await tx.query(
      `select (select database from installation) as name, array_agg(name::text) as migrations from migrations`,
    );
    return rows[0] ?? { name: null, migrations: [] };
  }
}
