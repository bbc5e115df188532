import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';
import type { UsagePlace } from './usage-cursor.js';
import type { UsageGroup } from './usage.schema.js';

/** Which sums are asked for. */
export interface UsageFilter {
  /** Days in UTC: the first, and the one after the last. */
  readonly from: string;
  readonly to: string;
  readonly per: 'hour' | 'day' | 'month';
  readonly by: readonly UsageGroup[];
  readonly server?: string | undefined;
  readonly tool?: string | undefined;
  readonly client?: string | undefined;
}

/** A sum; what it is not told apart by is null. */
export interface UsageRow {
  readonly at: Date;
  readonly server: string | null;
  readonly tool: string | null;
  readonly client: string | null;
  readonly calls: number;
  readonly failed: number;
  readonly tool_seconds: number;
  readonly bytes_in: number;
  readonly bytes_out: number;
  readonly egress_bytes: number;
}

/** What the plan allows in a month, and what the month used of it. */
export interface MonthRow {
  readonly plan: string;
  readonly month: string;
  readonly resets_at: Date;
  readonly over_budget: 'refuse' | 'serve';
  readonly warn_percent: number;
  readonly budgets: ReadonlyArray<{
    readonly budget: 'calls_per_month' | 'tool_seconds_per_month' | 'bytes_per_month' | 'egress_bytes_per_month';
    readonly used: number;
    readonly allowed: number | null;
  }>;
}

/** The usage ledger. */
@Injectable()
export class UsageRepository {
  /** Sums in order, those after a place where one is given. All rows of a sum are on one side of it. */
  sum(tx: Transaction, tenantId: string, filter: UsageFilter, limit: number, after?: UsagePlace): Promise<UsageRow[]> {
    const { per, by, from, to, server, tool, client } = filter;
    const shown = (group: UsageGroup): string => (by.includes(group) ? group : `null::text as ${group}`);
    const groups = ['at', ...by].join(', ');
    const at = `date_trunc('${per}', hour, 'UTC')`;
    const passed = `hour >= $8 and (${[at, ...by].join(', ')}) > ($8::timestamptz${by.map((_, index) => `, $${index + 9}::text`).join('')})`;
    return tx.query(
      `select ${at} as at, ${shown('server')}, ${shown('tool')}, ${shown('client')},
         sum(calls)::float8 as calls, sum(failed)::float8 as failed, sum(tool_ms)::float8 / 1000 as tool_seconds,
         sum(bytes_in)::float8 as bytes_in, sum(bytes_out)::float8 as bytes_out,
         sum(egress_bytes)::float8 as egress_bytes
       from usage_hours
       where tenant_id = $1 and hour >= $2::date::timestamp at time zone 'UTC' and hour < $3::date::timestamp at time zone 'UTC'
         and ($4::text is null or server = $4) and ($5::text is null or tool = $5) and ($6::text is null or client = $6)
         ${after === undefined ? '' : `and ${passed}`}
       group by ${groups} order by ${groups} limit $7`,
      [
        tenantId,
        from,
        to,
        server ?? null,
        tool ?? null,
        client ?? null,
        limit,
        ...(after === undefined ? [] : [after.at, ...after.names]),
      ],
    );
  }

  /** The month that it is. */
  async month(tx: Transaction, tenantId: string): Promise<MonthRow | undefined> {
    const rows: MonthRow[] = await tx.query(
      `select p.name as plan, to_char(m.first, 'YYYY-MM') as month, p.over_budget, p.budget_warn_percent as warn_percent,
         (m.first + interval '1 month') at time zone 'UTC' as resets_at,
         jsonb_build_array(
           jsonb_build_object('budget', 'calls_per_month', 'used', coalesce(u.calls, 0), 'allowed', p.calls_per_month),
           jsonb_build_object('budget', 'tool_seconds_per_month', 'used', coalesce(u.tool_ms, 0) / 1000,
             'allowed', p.tool_seconds_per_month),
           jsonb_build_object('budget', 'bytes_per_month', 'used', coalesce(u.bytes, 0), 'allowed', p.bytes_per_month),
           jsonb_build_object('budget', 'egress_bytes_per_month', 'used', coalesce(u.egress_bytes, 0),
             'allowed', p.egress_bytes_per_month)
         ) as budgets
       from tenants t cross join lateral plan_of(t.id) p
       cross join (select date_trunc('month', now() at time zone 'UTC') as first) m
       left join usage_months u on u.tenant_id = t.id and u.month = m.first::date
       where t.id = $1`,
      [tenantId],
    );
    return rows[0];
  }
}
