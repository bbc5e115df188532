import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';

/** A plan. */
export interface PlanRow {
  readonly name: string;
  readonly calls_per_minute: number;
  readonly concurrent_calls: number;
  readonly servers_max: number;
  readonly worker_memory_mb: number;
  readonly audit_retention_days: number;
  readonly audit_mode: 'process' | 'disk' | 'database';
  readonly sessions_max: number;
  readonly client_sessions_max: number;
  readonly session_idle_seconds: number;
  readonly documents_max: number;
  readonly document_bytes_max: number;
}

const COLUMNS = `name, calls_per_minute, concurrent_calls, servers_max, worker_memory_mb, audit_retention_days, audit_mode,
  sessions_max, client_sessions_max, session_idle_seconds, documents_max`;
/** A `bigint`, as the number that it is. */
const BYTES = 'document_bytes_max';

/** The platform's plans. */
@Injectable()
export class PlatformPlansRepository {
  async list(tx: Transaction): Promise<PlanRow[]> {
    return tx.query(`select ${COLUMNS}, ${BYTES}::float8 as ${BYTES} from plans order by name`);
  }

  async put(tx: Transaction, plan: PlanRow): Promise<void> {
    await tx.query(
      `insert into plans (${COLUMNS}, ${BYTES}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
       on conflict (name) do update set calls_per_minute = excluded.calls_per_minute,
         concurrent_calls = excluded.concurrent_calls, servers_max = excluded.servers_max,
         worker_memory_mb = excluded.worker_memory_mb, audit_retention_days = excluded.audit_retention_days,
         audit_mode = excluded.audit_mode,
         sessions_max = excluded.sessions_max, client_sessions_max = excluded.client_sessions_max,
         session_idle_seconds = excluded.session_idle_seconds, documents_max = excluded.documents_max,
         document_bytes_max = excluded.document_bytes_max`,
      [
        plan.name,
        plan.calls_per_minute,
        plan.concurrent_calls,
        plan.servers_max,
        plan.worker_memory_mb,
        plan.audit_retention_days,
        plan.audit_mode,
        plan.sessions_max,
        plan.client_sessions_max,
        plan.session_idle_seconds,
        plan.documents_max,
        plan.document_bytes_max,
      ],
    );
  }
}
