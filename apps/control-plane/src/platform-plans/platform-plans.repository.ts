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
  readonly audit_archive_days: number | null;
  readonly audit_mode: 'process' | 'disk' | 'database';
  readonly sessions_max: number;
  readonly client_sessions_max: number;
  readonly session_idle_seconds: number;
  readonly calls_per_month: number | null;
  readonly tool_seconds_per_month: number | null;
  readonly bytes_per_month: number | null;
  readonly egress_bytes_per_month: number | null;
  readonly budget_warn_percent: number;
  readonly over_budget: 'refuse' | 'serve';
  readonly documents_max: number;
  readonly document_bytes_max: number;
  readonly inline_result_bytes_max: number;
  readonly kept_result_bytes_max: number;
  readonly deletion_grace_days: number;
  readonly isolation_tier: 'shared' | 'dedicated';
  readonly when_uncertain: 'allow' | 'refuse';
}

/** A plan's settings, in the order of its columns. */
const SETTINGS = [
  'calls_per_minute',
  'concurrent_calls',
  'servers_max',
  'worker_memory_mb',
  'audit_retention_days',
  'audit_archive_days',
  'audit_mode',
  'sessions_max',
  'client_sessions_max',
  'session_idle_seconds',
  'calls_per_month',
  'tool_seconds_per_month',
  'bytes_per_month',
  'egress_bytes_per_month',
  'budget_warn_percent',
  'over_budget',
  'documents_max',
  'document_bytes_max',
  'inline_result_bytes_max',
  'kept_result_bytes_max',
  'deletion_grace_days',
  'isolation_tier',
  'when_uncertain',
] as const;
/** A bigint is read as a number: none of these is beyond 2^53. */
const BIG = new Set<string>([
  'calls_per_month',
  'tool_seconds_per_month',
  'bytes_per_month',
  'egress_bytes_per_month',
  'document_bytes_max',
]);
const READ = SETTINGS.map((name) => (BIG.has(name) ? `${name}::float8` : name)).join(', ');

/** The platform's plans. */
@Injectable()
export class PlatformPlansRepository {
  async list(tx: Transaction): Promise<PlanRow[]> {
    return tx.query(`select name, ${READ} from plans order by name`);
  }

  async put(tx: Transaction, plan: PlanRow): Promise<void> {
    await tx.query(
      `insert into plans (name, ${SETTINGS.join(', ')}) values ($1, ${SETTINGS.map((_, at) => `$${at + 2}`).join(', ')})
       on conflict (name) do update set ${SETTINGS.map((name) => `${name} = excluded.${name}`).join(', ')}`,
      [plan.name, ...SETTINGS.map((name) => plan[name])],
    );
  }
}
