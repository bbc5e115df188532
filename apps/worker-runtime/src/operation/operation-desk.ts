import { availableParallelism, loadavg } from 'node:os';
import type { OrderAnswer, RuntimeOrder, RuntimeStatus } from '#libs/protocol';
import type { Logger } from '#libs/telemetry';
import { workerMemory } from '../isolation/worker-memory.js';
import type { ReleaseBuilds } from '../sessions/release-builds.js';
import type { WorkerPool } from '../sessions/worker-pool.js';
import type { DrainSwitch } from './drain-switch.js';

const WORKERS_SHOWN_MAX = 500;

/** What the desk works on. */
export interface OperationRooms {
  readonly runtimeId: string;
  readonly workersMax: number;
  readonly pool: WorkerPool;
  readonly builds: ReleaseBuilds;
  readonly drain: DrainSwitch;
  readonly logger: Logger;
}

/** Does what operators ask of this runtime, and says how it is. */
export class OperationDesk {
  readonly #startedAtMs = Date.now();

  constructor(private readonly rooms: OperationRooms) {}

  /** Does an order; one that changes something stands in the log. */
  take(order: RuntimeOrder): OrderAnswer {
    const { pool, logger } = this.rooms;
    if (order.kind !== 'show') logger.warn({ order }, 'an operator gave an order');
    switch (order.kind) {
      case 'show':
        return { found: true, status: this.#status() };
      case 'drain':
        this.#drain(order.draining, order.withinMs);
        return { found: true, status: this.#status() };
      case 'stop-worker': {
        const found = pool.stopWorker(order.worker);
        return { found, status: this.#status() };
      }
      case 'kill':
        if (order.draining) this.#drain(true);
        return { found: true, ended: this.#kill(), status: this.#status() };
    }
  }

  #drain(draining: boolean, withinMs?: number): void {
    const { drain, pool } = this.rooms;
    drain.set(draining, withinMs);
    pool.emptyUntil(drain.endsAtMs);
  }

  #kill(): NonNullable<OrderAnswer['ended']> {
    const [workers, builds] = [this.rooms.pool.kill(), this.rooms.builds.kill()];
    return { workers: workers.length, builds: builds.length, tenantIds: [...new Set([...workers, ...builds])] };
  }

  #status(): RuntimeStatus {
    const { runtimeId, workersMax, pool, drain } = this.rooms;
    const workers = pool.list();
    return {
      runtimeId,
      startedAtMs: this.#startedAtMs,
      draining: drain.draining,
      ...(drain.endsAtMs === undefined ? {} : { drainEndsAtMs: drain.endsAtMs }),
      node: process.version,
      loadAverage: loadavg()[0] ?? 0,
      cores: availableParallelism(),
      memoryBytes: process.memoryUsage.rss(),
      workerMemoryBytes: workerMemory().sum,
      exchanges: pool.exchanges.sum,
      tenants: new Set(workers.map(({ tenantId }) => tenantId)).size,
      workers: workers.length,
      workersMax,
      pools: pool.listWarm(),
      busiest: workers
        .toSorted((one, other) => other.exchanges - one.exchanges || other.usedAtMs - one.usedAtMs)
        .slice(0, WORKERS_SHOWN_MAX),
    };
  }
}
