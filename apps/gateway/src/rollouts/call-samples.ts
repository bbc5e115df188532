import type { Database } from '#libs/database';
import { addSamples, LATENCY_CLASSES, latencyClass, type Sample } from '#libs/rollouts';
import type { Logger } from '#libs/telemetry';
import type { Ending } from '../dispatch/run-call.js';
import type { SampledCall } from './sampled-call.js';

const FLUSH_MS = 250;
/** Tools of all rollouts that are remembered between two writes; more are counted without their names. */
const KEYS_MAX = 2_000;
const TOOL_LENGTH_MAX = 128;

type Counts = { -readonly [Key in keyof Sample]: Sample[Key] } & { readonly latencies: number[] };

/**
 * Counts how the calls of rollouts ended and adds them to PostgreSQL four times a second. A gateway that is killed takes a
 * quarter of a second of them along; what the database did not take is tried again.
 */
export class CallSamples {
  readonly #tenants = new Map<string, Map<string, Counts>>();
  #keys = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly database: Database,
    private readonly logger: Logger,
  ) {}

  /** Counts a call's end; what the caller broke off and what no worker was asked is no sample. */
  add(tenantId: string, call: SampledCall, ending: Ending, ms: number, answer: 'heard' | 'same' | 'different'): void {
    if (ending.outcome === 'cancelled' || ending.outcome === 'refused') return;
    const { fault, rule, serverEnded } = ending.facts ?? {};
    const crashed = ending.outcome === 'worker_failed' || serverEnded === true;
    if (call.tool === undefined && !crashed) return;
    const counts = this.#countsOf(tenantId, call);
    counts.calls += 1;
    counts.latencies[latencyClass(ms)] = (counts.latencies[latencyClass(ms)] ?? 0) + 1;
    if (crashed) counts.crashes += 1;
    if (fault === 'invalid_arguments') counts.argumentFailures += 1;
    else if (ending.outcome !== 'ok') counts.errors += 1;
    if (ending.outcome === 'tool_error' && rule?.startsWith('breaker:') === true) counts.breakerRefusals += 1;
    if (answer === 'different') counts.differences += 1;
    this.#timer ??= setTimeout(() => this.#flushSoon(), FLUSH_MS).unref();
  }

  /** Writes what is left. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#writing;
    await this.#flush();
  }

  #countsOf(tenantId: string, { rollout, mount, tool }: SampledCall): Counts {
    const held = this.#tenants.get(tenantId) ?? new Map<string, Counts>();
    this.#tenants.set(tenantId, held);
    const named = this.#keys < KEYS_MAX ? (tool ?? '').slice(0, TOOL_LENGTH_MAX) : '';
    const key = `${rollout.id} ${rollout.step} ${mount.releaseId} ${named}`;
    const known = held.get(key);
    if (known !== undefined) return known;
    const counts = emptyCounts(rollout.id, rollout.step, mount.releaseId, named);
    held.set(key, counts);
    this.#keys += 1;
    return counts;
  }

  #flushSoon(): void {
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#flush());
  }

  async #flush(): Promise<void> {
    const batch = [...this.#tenants];
    this.#tenants.clear();
    this.#keys = 0;
    for (const [tenantId, counts] of batch) {
      try {
        await this.database.asTenant(tenantId, (tx) => addSamples(tx, tenantId, [...counts.values()]));
      } catch (error) {
        this.logger.warn({ err: error, tenant_id: tenantId }, 'samples of a rollout were not written; trying again');
        this.#takeBack(tenantId, counts);
      }
    }
  }

  /** Keeps what was not written, unless there is more than enough already. */
  #takeBack(tenantId: string, counts: ReadonlyMap<string, Counts>): void {
    const held = this.#tenants.get(tenantId) ?? new Map<string, Counts>();
    for (const [key, old] of counts) {
      const now = held.get(key);
      if (now === undefined && this.#keys >= KEYS_MAX) continue;
      if (now === undefined) this.#keys += 1;
      held.set(key, now === undefined ? old : sumOf(now, old));
    }
    this.#tenants.set(tenantId, held);
    this.#timer ??= setTimeout(() => this.#flushSoon(), FLUSH_MS * 4).unref();
  }
}

function emptyCounts(rolloutId: string, step: number, releaseId: string, tool: string): Counts {
  const none = { calls: 0, errors: 0, argumentFailures: 0, breakerRefusals: 0, crashes: 0, differences: 0 };
  return { rolloutId, step, releaseId, tool, ...none, latencies: Array<number>(LATENCY_CLASSES).fill(0) };
}

function sumOf(one: Counts, other: Counts): Counts {
  return {
    ...one,
    calls: one.calls + other.calls,
    errors: one.errors + other.errors,
    argumentFailures: one.argumentFailures + other.argumentFailures,
    breakerRefusals: one.breakerRefusals + other.breakerRefusals,
    crashes: one.crashes + other.crashes,
    differences: one.differences + other.differences,
    latencies: one.latencies.map((count, index) => count + (other.latencies[index] ?? 0)),
  };
}
