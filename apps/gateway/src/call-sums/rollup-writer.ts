import type { Database } from '#libs/database';
import type { Logger } from '#libs/telemetry';
import type { Rollup, RollupRow } from './rollup.js';

const EVERY_MS = 5_000;

/** Adds rows up with what is there already; several gateways write the same minute. */
const WRITE = `
insert into call_rollups as kept (tenant_id, minute, server, tool, buckets, calls, tool_errors, failures, refusals,
  invalid_arguments, unknown_tools, corrections, repeats, queue_buckets, concurrency_peak, worker_memory_bytes)
select $1::uuid, r.minute, r.server, r.tool, r.buckets, r.calls, r.tool_errors, r.failures, r.refusals,
  r.invalid_arguments, r.unknown_tools, r.corrections, r.repeats, r.queue_buckets, r.concurrency_peak, r.worker_memory_bytes
from jsonb_to_recordset($2::jsonb) as r (minute timestamptz, server text, tool text, buckets bigint[], calls bigint,
  tool_errors bigint, failures bigint, refusals bigint, invalid_arguments bigint, unknown_tools bigint,
  corrections bigint, repeats bigint, queue_buckets bigint[], concurrency_peak bigint, worker_memory_bytes bigint)
order by r.minute, r.server, r.tool
on conflict (tenant_id, minute, server, tool) do update set
  calls = kept.calls + excluded.calls,
  tool_errors = kept.tool_errors + excluded.tool_errors,
  failures = kept.failures + excluded.failures,
  refusals = kept.refusals + excluded.refusals,
  invalid_arguments = kept.invalid_arguments + excluded.invalid_arguments,
  unknown_tools = kept.unknown_tools + excluded.unknown_tools,
  corrections = kept.corrections + excluded.corrections,
  repeats = kept.repeats + excluded.repeats,
  concurrency_peak = greatest(kept.concurrency_peak, excluded.concurrency_peak),
  worker_memory_bytes = greatest(kept.worker_memory_bytes, excluded.worker_memory_bytes),
  queue_buckets = (select array_agg(coalesce(a, 0) + coalesce(b, 0) order by place)
    from unnest(kept.queue_buckets, excluded.queue_buckets) with ordinality as pair (a, b, place)),
  buckets = (select array_agg(a + b order by place)
    from unnest(kept.buckets, excluded.buckets) with ordinality as pair (a, b, place))`;

/** Writes what calls add up to, every five seconds and at the end, away from the calls themselves. */
export class RollupWriter {
  readonly #timer: NodeJS.Timeout;
  #writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly rollup: Rollup,
    private readonly database: Database,
    private readonly logger: Logger,
  ) {
    this.#timer = setInterval(() => void this.flush(), EVERY_MS).unref();
  }

  /** Writes everything that has been summed up; what cannot be written is kept for the next time. Never throws. */
  flush(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write(this.rollup.take()));
    return this.#writing;
  }

  /** Writes the rest and stops. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }

  async #write(rows: readonly RollupRow[]): Promise<void> {
    for (const [tenantId, own] of Map.groupBy(rows, (row) => row.tenantId)) {
      try {
        await this.database.asTenant(tenantId, (tx) => tx.query(WRITE, [tenantId, JSON.stringify(own.map(toRecord))]));
      } catch (error) {
        this.rollup.giveBack(own);
        this.logger.warn({ tenant_id: tenantId, cause: String(error) }, 'sums of calls could not be written');
      }
    }
  }
}

function toRecord({ minuteMs, server, tool, sums, buckets, queueBuckets, peaks }: RollupRow): object {
  return {
    minute: new Date(minuteMs).toISOString(),
    server,
    tool,
    buckets,
    queue_buckets: queueBuckets,
    ...sums,
    ...peaks,
  };
}
