import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';
import { AppError } from '#libs/errors';

/** Which minutes and calls are summed up. */
export interface RollupFilter {
  readonly from: Date;
  readonly server?: string | undefined;
  readonly tool?: string | undefined;
}

/** Counted columns, as they are in the table. */
export interface CountedCalls {
  readonly calls: number;
  readonly tool_errors: number;
  readonly failures: number;
  readonly refusals: number;
  readonly invalid_arguments: number;
  readonly unknown_tools: number;
  readonly corrections: number;
  readonly repeats: number;
  readonly buckets: readonly number[];
  readonly queue_buckets: readonly number[];
  readonly concurrency_peak: number;
  readonly worker_memory_bytes: number;
}

/** The sums of one level: in all (`server` and `tool` null), of a server (`tool` null), or of a tool. */
export interface SummedCalls extends CountedCalls {
  readonly level: 'total' | 'server' | 'tool';
  readonly server: string | null;
  readonly tool: string | null;
}

const BUCKETS = 16;
const TOOLS_MAX = 500;

const COUNTS = `coalesce(sum(calls), 0)::float8 as calls, coalesce(sum(tool_errors), 0)::float8 as tool_errors,
         coalesce(sum(failures), 0)::float8 as failures, coalesce(sum(refusals), 0)::float8 as refusals,
         coalesce(sum(invalid_arguments), 0)::float8 as invalid_arguments,
         coalesce(sum(unknown_tools), 0)::float8 as unknown_tools,
         coalesce(sum(corrections), 0)::float8 as corrections, coalesce(sum(repeats), 0)::float8 as repeats,
         array[${summed('buckets')}] as buckets, array[${summed('queue_buckets')}] as queue_buckets,
         coalesce(max(concurrency_peak), 0)::float8 as concurrency_peak,
         coalesce(max(worker_memory_bytes), 0)::float8 as worker_memory_bytes`;

/** Sums of the rollup table. */
@Injectable()
export class MetricsSummaryRepository {
  /** The sums in all, of each server and of the tools called most. */
  sum(tx: Transaction, tenantId: string, { from, server, tool }: RollupFilter): Promise<SummedCalls[]> {
    return tx.query(
      `select case grouping(server, tool) when 3 then 'total' when 1 then 'server' else 'tool' end as level, server, tool,
         ${COUNTS}
       from call_rollups
       where tenant_id = $1 and minute >= $2 and ($3::text is null or server = $3) and ($4::text is null or tool = $4)
       group by grouping sets ((), (server), (server, tool))
       order by grouping(server, tool) desc, sum(calls) desc nulls last, server, tool
       limit ${TOOLS_MAX * 2}`,
      [tenantId, from, server ?? null, tool ?? null],
    );
  }

  /** The sum of all of a tenant's calls. */
  async total(tx: Transaction, tenantId: string, from: Date): Promise<CountedCalls> {
    const [total]: CountedCalls[] = await tx.query(
      `select ${COUNTS} from call_rollups where tenant_id = $1 and minute >= $2`,
      [tenantId, from],
    );
    if (total === undefined) throw new AppError('internal', { detail: { reason: 'a sum without a row' } });
    return total;
  }
}

function summed(column: 'buckets' | 'queue_buckets'): string {
  return Array.from({ length: BUCKETS }, (_, at) => `coalesce(sum(${column}[${at + 1}]), 0)::float8`).join(', ');
}
