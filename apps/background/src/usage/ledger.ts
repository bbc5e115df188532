import type { LogRow } from '#libs/audit';
import type { Transaction } from '#libs/database';
import { watchBudgets } from './budgets.js';

/** A record that gets its number. */
type NumberedRecord = Pick<LogRow, 'at' | 'event' | 'actor' | 'outcome' | 'details'>;

/** What the calls of an hour used that are of one server, tool and client. */
interface HourOfUse {
  readonly hour: string;
  readonly server: string;
  readonly tool: string;
  readonly client: string;
  calls: number;
  failed: number;
  tool_ms: number;
  bytes_in: number;
  bytes_out: number;
  egress_bytes: number;
}

const HOUR_MS = 3_600_000;
/** Not answered through any fault of the caller. */
const FAILED = new Set(['worker_failed', 'deadline', 'interrupted']);

/**
 * Adds what calls used to the tenant's ledger, in the transaction that gives their records their numbers: a record is
 * numbered once, so a call is counted once, and the ledger of an hour adds up to the calls in the log.
 */
export async function keepUsage(tx: Transaction, tenantId: string, records: readonly NumberedRecord[]): Promise<void> {
  const calls = records.filter(({ event }) => event === 'call.completed');
  if (calls.length === 0) return;
  const hours = [...sumUp(calls)];
  await tx.query(
    `insert into usage_hours as u (tenant_id, hour, server, tool, client, calls, failed, tool_ms, bytes_in, bytes_out,
       egress_bytes)
     select $1, hour, server, tool, client, calls, failed, tool_ms, bytes_in, bytes_out, egress_bytes
     from jsonb_to_recordset($2::jsonb) as r (hour timestamptz, server text, tool text, client text, calls bigint,
       failed bigint, tool_ms bigint, bytes_in bigint, bytes_out bigint, egress_bytes bigint)
     on conflict (tenant_id, hour, server, tool, client) do update set calls = u.calls + excluded.calls,
       failed = u.failed + excluded.failed, tool_ms = u.tool_ms + excluded.tool_ms,
       bytes_in = u.bytes_in + excluded.bytes_in, bytes_out = u.bytes_out + excluded.bytes_out,
       egress_bytes = u.egress_bytes + excluded.egress_bytes`,
    [tenantId, JSON.stringify(hours)],
  );
  await tx.query(
    `insert into usage_months as u (tenant_id, month, calls, tool_ms, bytes, egress_bytes)
     select $1, date_trunc('month', hour at time zone 'utc')::date as month, sum(calls), sum(tool_ms),
       sum(bytes_in + bytes_out + egress_bytes), sum(egress_bytes)
     from jsonb_to_recordset($2::jsonb) as r (hour timestamptz, calls bigint, tool_ms bigint, bytes_in bigint,
       bytes_out bigint, egress_bytes bigint) group by month
     on conflict (tenant_id, month) do update set calls = u.calls + excluded.calls,
       tool_ms = u.tool_ms + excluded.tool_ms, bytes = u.bytes + excluded.bytes,
       egress_bytes = u.egress_bytes + excluded.egress_bytes`,
    [tenantId, JSON.stringify(hours)],
  );
  await watchBudgets(tx, tenantId);
}

function sumUp(calls: readonly NumberedRecord[]): Iterable<HourOfUse> {
  const hours = new Map<string, HourOfUse>();
  for (const call of calls) {
    const of = placeOf(call);
    const key = JSON.stringify(of);
    const sum = hours.get(key) ?? {
      ...of,
      calls: 0,
      failed: 0,
      tool_ms: 0,
      bytes_in: 0,
      bytes_out: 0,
      egress_bytes: 0,
    };
    sum.calls += 1;
    sum.failed += FAILED.has(call.outcome) ? 1 : 0;
    sum.tool_ms += of.tool === '' ? 0 : Math.round(numberIn(call.details['worker_ms']));
    sum.bytes_in += numberIn(call.details['bytes_in']);
    sum.bytes_out += numberIn(call.details['bytes_out']);
    sum.egress_bytes += numberIn(call.details['egress_bytes']);
    hours.set(key, sum);
  }
  return hours.values();
}

function placeOf({
  at,
  actor,
  outcome,
  details,
}: NumberedRecord): Pick<HourOfUse, 'hour' | 'server' | 'tool' | 'client'> {
  // A tool that does not exist is named by its caller, who could name a million.
  const exists = outcome !== 'protocol_error' && details['fault'] !== 'unknown_tool';
  return {
    hour: new Date(Math.floor(new Date(at).getTime() / HOUR_MS) * HOUR_MS).toISOString(),
    server: textIn(details['server']),
    tool: exists && details['method'] === 'tools/call' ? textIn(details['tool'] ?? details['name']) : '',
    client: actor['kind'] === 'api-key' ? `api-key:${textIn(actor['id'])}` : textIn(actor['client'] ?? actor['id']),
  };
}

function textIn(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function numberIn(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
