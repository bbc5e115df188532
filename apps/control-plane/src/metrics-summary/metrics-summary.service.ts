import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '#libs/database';
import { CALL_SECONDS } from '#libs/telemetry';
import type { TenantCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { TENANT_DATABASE } from '../platform/tokens.js';
import { MetricsSummaryRepository, type CountedCalls } from './metrics-summary.repository.js';
import { WINDOW_MINUTES, type summarizeMetrics } from './metrics-summary.schema.js';
import { quantileOf } from './quantile.js';

const MINUTE_MS = 60_000;
const TOOLS_MAX = 500;
const NO_CALLS: CountedCalls = {
  calls: 0,
  tool_errors: 0,
  failures: 0,
  refusals: 0,
  invalid_arguments: 0,
  unknown_tools: 0,
  corrections: 0,
  repeats: 0,
  buckets: [],
  queue_buckets: [],
  concurrency_peak: 0,
  worker_memory_bytes: 0,
};

/** Sums up a tenant's calls. */
@Injectable()
export class MetricsSummaryService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(MetricsSummaryRepository) private readonly rollups: MetricsSummaryRepository,
  ) {}

  /** What the calls of the last minutes add up to. */
  async summarize(
    { tenantId }: TenantCaller,
    { window, server, tool }: InputOf<typeof summarizeMetrics>['query'],
  ): Promise<AnswerOf<typeof summarizeMetrics>> {
    const thisMinuteMs = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
    const from = new Date(thisMinuteMs - (WINDOW_MINUTES[window] - 1) * MINUTE_MS);
    const rows = await this.database.asTenant(tenantId, (tx) => this.rollups.sum(tx, tenantId, { from, server, tool }));
    const ofTools = rows.filter(({ level }) => level === 'tool').slice(0, TOOLS_MAX);
    return {
      window,
      from: from.toISOString(),
      total: sumsOf(rows.find(({ level }) => level === 'total') ?? NO_CALLS),
      servers: rows
        .filter(({ level }) => level === 'server')
        .map((row) => ({ server: row.server ?? '', ...sumsOf(row) })),
      tools: ofTools.map((row) => ({ server: row.server ?? '', tool: row.tool ?? '', ...sumsOf(row) })),
    };
  }
}

function sumsOf(counted: CountedCalls): AnswerOf<typeof summarizeMetrics>['total'] {
  const { calls, tool_errors, failures, refusals, invalid_arguments, unknown_tools, corrections, repeats } = counted;
  const share = (part: number): number | null => (calls === 0 ? null : part / calls);
  return {
    calls,
    tool_errors,
    failures,
    refusals,
    invalid_arguments,
    unknown_tools,
    corrections,
    repeats,
    error_ratio: share(tool_errors + failures),
    hallucination_ratio: share(invalid_arguments + unknown_tools),
    p50_seconds: quantileOf(0.5, counted.buckets, CALL_SECONDS),
    p95_seconds: quantileOf(0.95, counted.buckets, CALL_SECONDS),
    p99_seconds: quantileOf(0.99, counted.buckets, CALL_SECONDS),
    queue_p95_seconds: quantileOf(0.95, counted.queue_buckets, CALL_SECONDS),
    concurrency_peak: counted.concurrency_peak,
    worker_memory_bytes: counted.worker_memory_bytes === 0 ? null : counted.worker_memory_bytes,
  };
}
