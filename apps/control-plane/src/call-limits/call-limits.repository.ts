import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';

/** What a limit says. */
export interface CallLimitChoices {
  readonly per: ReadonlyArray<'client' | 'person' | 'tool'>;
  readonly server: string | null;
  readonly tools: readonly string[];
  readonly clients: readonly string[];
  readonly calls: number;
  readonly window_seconds: number;
  readonly when_uncertain: 'allow' | 'refuse';
}

/** A limit on calls of tools. */
export interface CallLimitRow extends CallLimitChoices {
  readonly name: string;
  readonly updated_at: Date;
}

const COLUMNS = 'name, per, server, tools, clients, calls, window_seconds, when_uncertain, updated_at';

/** A tenant's limits on calls of tools. */
@Injectable()
export class CallLimitsRepository {
  list(tx: Transaction, tenantId: string): Promise<CallLimitRow[]> {
    return tx.query(`select ${COLUMNS} from call_limits where tenant_id = $1 order by name`, [tenantId]);
  }

  /** All limits, of which none changes until the transaction ends. */
  async lock(tx: Transaction, tenantId: string): Promise<CallLimitRow[]> {
    await tx.query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [`call-limits:${tenantId}`]);
    return this.list(tx, tenantId);
  }

  async put(tx: Transaction, tenantId: string, name: string, limit: CallLimitChoices): Promise<CallLimitRow> {
    const { per, server, tools, clients, calls, window_seconds: seconds, when_uncertain: uncertain } = limit;
    const rows: [CallLimitRow] = await tx.query(
      `insert into call_limits (tenant_id, name, per, server, tools, clients, calls, window_seconds, when_uncertain)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
       on conflict (tenant_id, name) do update set per = excluded.per, server = excluded.server,
         tools = excluded.tools, clients = excluded.clients, calls = excluded.calls,
         window_seconds = excluded.window_seconds, when_uncertain = excluded.when_uncertain, updated_at = now()
       returning ${COLUMNS}`,
      [tenantId, name, per, server, tools, clients, calls, seconds, uncertain],
    );
    return rows[0];
  }

  async remove(tx: Transaction, tenantId: string, name: string): Promise<void> {
    await tx.query(`delete from call_limits where tenant_id = $1 and name = $2`, [tenantId, name]);
  }

  /** Whether the tenant has a server of this slug. */
  async hasServer(tx: Transaction, tenantId: string, slug: string): Promise<boolean> {
    const rows: unknown[] = await tx.query(`select 1 from servers where tenant_id = $1 and slug = $2`, [
      tenantId,
      slug,
    ]);
    return rows.length > 0;
  }
}
