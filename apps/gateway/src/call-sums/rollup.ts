import { bucketOf, CALL_SECONDS } from '#libs/telemetry';
import type { AgentVerdict } from '../observation/agent-metrics.js';
import type { CallEnd, NamedTool } from '../observation/call-end.js';

/** What is summed up of one tenant's calls of one tool in one minute. */
export interface RollupRow {
  readonly tenantId: string;
  /** Begin of the minute, epoch milliseconds. */
  readonly minuteMs: number;
  readonly server: string;
  readonly tool: string;
  readonly sums: RollupSums;
  /** Calls by duration: one more than `CALL_SECONDS` has bounds. */
  readonly buckets: number[];
  /** The same by what was not spent in the worker. */
  readonly queueBuckets: number[];
  readonly peaks: RollupPeaks;
}

/** The columns of a row that hold the most of something. */
export interface RollupPeaks {
  /** Calls under way at once in one gateway. */
  concurrency_peak: number;
  /** Held by a worker of the tool at the end of a call; 0 where nobody tells. */
  worker_memory_bytes: number;
}

type RowKey = Pick<RollupRow, 'tenantId' | 'minuteMs' | 'server' | 'tool'>;

/** The counted columns of a row. */
export interface RollupSums {
  calls: number;
  tool_errors: number;
  failures: number;
  refusals: number;
  invalid_arguments: number;
  unknown_tools: number;
  corrections: number;
  repeats: number;
}

const MINUTE_MS = 60_000;
const ROWS_MAX = 10_000;
const TOOLS_OF_TENANT_MAX = 200;
/** Ends that are failures of a worker, an upstream's silence or ours. */
const FAILURES = new Set(['deadline', 'worker_failed', 'internal', 'unavailable']);
const REST = 'other';

/** Sums up calls of tools by minute until they are written; bounded in rows, and in tools of one tenant. */
export class Rollup {
  #rows = new Map<string, RollupRow>();
  #toolsOf = new Map<string, number>();

  constructor(private readonly nowMs: () => number = Date.now) {}

  /** Adds a call. Names that nobody has a tool for are summed up together. */
  add(end: CallEnd, { server, name }: NamedTool, verdict: AgentVerdict): void {
    const { call, outcome, fault, seconds } = end;
    const exists = (outcome === 'ok' || outcome === 'tool_error') && fault !== 'unknown_tool';
    const row = this.#rowOf(call.tenant.tenantId, server, name, exists);
    if (row === undefined) return;
    const { sums, buckets, queueBuckets, peaks } = row;
    sums.calls += 1;
    if (outcome === 'tool_error') sums.tool_errors += 1;
    else if (FAILURES.has(outcome)) sums.failures += 1;
    else if (outcome !== 'ok' && outcome !== 'cancelled') sums.refusals += 1;
    if (fault === 'invalid_arguments') sums.invalid_arguments += 1;
    if (fault === 'unknown_tool') sums.unknown_tools += 1;
    if (verdict.corrected) sums.corrections += 1;
    if (verdict.repeated) sums.repeats += 1;
    countIn(buckets, seconds);
    if (end.queueSeconds !== undefined) countIn(queueBuckets, end.queueSeconds);
    raise(peaks, { concurrency_peak: end.concurrency ?? 0, worker_memory_bytes: end.workerMemoryBytes ?? 0 });
  }

  /** Hands over what has been summed up and begins anew. */
  take(): RollupRow[] {
    const rows = [...this.#rows.values()];
    this.#rows = new Map();
    this.#toolsOf = new Map();
    return rows;
  }

  /** Takes rows back that could not be written. */
  giveBack(rows: readonly RollupRow[]): void {
    for (const row of rows) {
      const known = this.#rows.get(keyOf(row));
      if (known !== undefined) merge(known, row);
      else if (this.#rows.size < ROWS_MAX) this.#rows.set(keyOf(row), row);
    }
  }

  #rowOf(tenantId: string, server: string, name: string, exists: boolean): RollupRow | undefined {
    const minuteMs = Math.floor(this.nowMs() / MINUTE_MS) * MINUTE_MS;
    const row = { tenantId, minuteMs, server, tool: name };
    const known = this.#rows.get(keyOf(row));
    if (known !== undefined) return known;
    const tools = this.#toolsOf.get(tenantId) ?? 0;
    if (exists && tools < TOOLS_OF_TENANT_MAX && this.#rows.size < ROWS_MAX) {
      this.#toolsOf.set(tenantId, tools + 1);
      return this.#begin(row);
    }
    const rest = { ...row, server: '', tool: REST };
    return this.#rows.get(keyOf(rest)) ?? (this.#rows.size < ROWS_MAX * 2 ? this.#begin(rest) : undefined);
  }

  #begin(row: RowKey): RollupRow {
    const peaks = { concurrency_peak: 0, worker_memory_bytes: 0 };
    const begun = { ...row, sums: noSums(), buckets: noCounts(), queueBuckets: noCounts(), peaks };
    this.#rows.set(keyOf(row), begun);
    return begun;
  }
}

function noSums(): RollupSums {
  return {
    calls: 0,
    tool_errors: 0,
    failures: 0,
    refusals: 0,
    invalid_arguments: 0,
    unknown_tools: 0,
    corrections: 0,
    repeats: 0,
  };
}

function noCounts(): number[] {
  return Array.from({ length: CALL_SECONDS.length + 1 }, () => 0);
}

function countIn(buckets: number[], seconds: number): void {
  const at = bucketOf(seconds, CALL_SECONDS);
  buckets[at] = (buckets[at] ?? 0) + 1;
}

function raise(peaks: RollupPeaks, to: RollupPeaks): void {
  peaks.concurrency_peak = Math.max(peaks.concurrency_peak, to.concurrency_peak);
  peaks.worker_memory_bytes = Math.max(peaks.worker_memory_bytes, to.worker_memory_bytes);
}

function keyOf({ tenantId, minuteMs, server, tool }: RowKey): string {
  return `${tenantId} ${minuteMs} ${server} ${tool}`;
}

function merge(into: RollupRow, from: RollupRow): void {
  for (const [name, count] of Object.entries(from.sums)) into.sums[name as keyof RollupSums] += count; // its own names
  for (const name of ['buckets', 'queueBuckets'] as const)
    for (const [at, count] of from[name].entries()) into[name][at] = (into[name][at] ?? 0) + count;
  raise(into.peaks, from.peaks);
}
