import { randomUUID } from 'node:crypto';
import { AppError } from '#libs/errors';
import {
  routeKey,
  type Envelope,
  type Eviction,
  type FrameFailure,
  type WarmPool,
  type WorkerStatus,
} from '#libs/protocol';
import { meter, type Logger } from '#libs/telemetry';
import type { Egress } from '../egress/egress.js';
import type { WorkerDriver, WorkerExit } from '../isolation/worker-driver.js';
import { BoundWorker } from './bound-worker.js';
import { CrashBackoff } from './crash-backoff.js';
import { WarmWorkers } from './warm-workers.js';
import type { WorkerBinding } from './worker-call.js';

const SWEEP_MS = 250;
/** While the pool empties: how long a worker rests before it ends, and the sessions that are open in it. */
const REST_MS = 2_000;
/** What calls are told that run when their tenant is suspended. */
const SUSPENDED: FrameFailure = {
  code: 'tenant_suspended',
  message: 'This tenant was suspended while the call ran. It may have been done, wholly or in part.',
};

/** What a pool stands on and how much it may hold. */
export interface WorkerPoolOptions {
  readonly driver: WorkerDriver;
  readonly egress: Egress;
  readonly logger: Logger;
  /** Throws where code of others may not run. */
  readonly assertThirdParty: () => void;
  /** For tenants whose plan does not say. */
  readonly memoryMb: number;
  readonly idleMs: number;
  /** How long a bundle's server is kept that nobody calls. */
  readonly serverIdleMs: number;
  readonly warm: number;
  /** Bound workers at most, in all and for one tenant. */
  readonly workersMax: number;
  readonly tenantWorkersMax: number;
}

/** The bound workers of this runtime: one for each route in use, replaced when it dies, stopped when nobody needs it. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #workers = new Map<string, BoundWorker>();
  readonly #warm: WarmWorkers;
  readonly #crashes = new CrashBackoff();
  readonly #deaths = meter('sessions').createCounter('wharf_worker_deaths', {
    description: 'Workers that ended although nobody stopped them.',
  });
  readonly #sweeper: NodeJS.Timeout;
  #emptyAtMs: number | undefined;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#warm = new WarmWorkers(options.driver, options.warm, options.memoryMb, options.logger);
    this.#sweeper = setInterval(() => this.#sweep(Date.now()), SWEEP_MS);
  }

  /** How many workers are bound. */
  get size(): number {
    return this.#workers.size;
  }

  /** Exchanges open in all workers together, and in the one that has most. */
  get exchanges(): { readonly sum: number; readonly most: number } {
    const open = [...this.#workers.values()].map((worker) => worker.exchanges);
    return { sum: open.reduce((sum, count) => sum + count, 0), most: Math.max(0, ...open) };
  }

  /** The live worker of a route. @throws AppError forbidden when the key belongs to another tenant's route */
  findWorker({ key, tenantId }: Envelope['route']): BoundWorker | undefined {
    const worker = this.#workers.get(key);
    if (worker === undefined || !worker.alive) return undefined;
    if (worker.route.tenantId !== tenantId)
      throw new AppError('forbidden', { detail: { reason: 'a route key of another tenant', key } });
    return worker;
  }

  /** Binds a worker to a route. @throws AppError forbidden, unavailable */
  startWorker(binding: WorkerBinding): BoundWorker {
    const { tenantId, mounts, key, view } = binding.route;
    if (routeKey(tenantId, mounts, view) !== key)
      throw new AppError('forbidden', { detail: { reason: 'a route key that is not its route', key } });
    const waitMs = this.#crashes.waitMs(key, Date.now());
    if (waitMs > 0) {
      throw new AppError('unavailable', {
        message: 'The worker of this server has stopped several times in a row and is started again shortly.',
        retryAfterSeconds: Math.ceil(waitMs / 1_000),
      });
    }
    const bundles = binding.archives.size > 0;
    if (bundles) this.#options.assertThirdParty();
    this.#makeRoom(tenantId);
    const memoryMb = binding.memoryMb ?? this.#options.memoryMb;
    const process = bundles
      ? this.#options.driver.start({ memoryMb, bundles, serverIdleMs: this.#options.serverIdleMs })
      : this.#warm.take(memoryMb);
    const worker = new BoundWorker(process, binding, this.#options.egress, (exit) => this.#exited(key, worker, exit));
    this.#workers.set(key, worker);
    return worker;
  }

  /** The bound workers, as operators see them. */
  list(): WorkerStatus[] {
    return [...this.#workers.values()].map((worker) => statusOf(worker));
  }

  /** The workers that wait to be bound. */
  listWarm(): WarmPool[] {
    return this.#warm.list();
  }

  /** Ends every worker, also those that wait; returns whose were bound. What runs in them fails, and others may be started. */
  kill(): string[] {
    const bound = [...this.#workers];
    for (const [key, worker] of bound) this.#remove(key, worker, 'kill');
    this.#warm.renew();
    return bound.map(([, worker]) => worker.route.tenantId);
  }

  /** Ends one worker; false where it is not here. What runs in it fails. */
  stopWorker(id: string): boolean {
    const found = [...this.#workers].find(([, worker]) => idOf(worker) === id);
    if (found !== undefined) this.#remove(found[0], found[1], 'kill');
    return found !== undefined;
  }

  /**
   * Ends each worker once it rests, although sessions are open in it, and at that time all that are left; their clients
   * are told that their sessions are not found, and begin new ones elsewhere. Undefined ends that.
   */
  emptyUntil(atMs: number | undefined): void {
    this.#emptyAtMs = atMs;
  }

  /** Ends every worker of a tenant; what runs in them fails, and is told why. */
  evict(tenantId: string, why: Eviction): void {
    for (const [key, worker] of this.#workers) {
      if (worker.route.tenantId !== tenantId) continue;
      if (why === 'suspended') worker.lost = SUSPENDED;
      this.#remove(key, worker, 'kill');
    }
  }

  /** Ends every worker. */
  stop(): void {
    clearInterval(this.#sweeper);
    this.#warm.stop();
    for (const [key, worker] of this.#workers) this.#remove(key, worker, 'stop');
  }

  #sweep(nowMs: number): void {
    for (const [key, worker] of this.#workers) {
      worker.sweep(nowMs);
      if (worker.isForgotten(nowMs, this.#options.idleMs)) this.#remove(key, worker, 'stop');
      else if (this.#emptyAtMs !== undefined) this.#empty(key, worker, nowMs >= this.#emptyAtMs);
    }
  }

  #empty(key: string, worker: BoundWorker, isOver: boolean): void {
    if (isOver) this.#remove(key, worker, 'kill');
    else if (worker.exchanges === 0 && Date.now() - worker.usedAtMs > REST_MS) this.#remove(key, worker, 'stop');
  }

  #exited(key: string, worker: BoundWorker, exit: WorkerExit): void {
    if (this.#workers.get(key) !== worker) return; // removed before: it was meant to end
    this.#workers.delete(key);
    this.#crashes.crashed(key, Date.now());
    this.#deaths.add(1);
    this.#options.logger.error({ tenantId: worker.route.tenantId, route: key, ...exit }, 'worker died');
  }

  #remove(key: string, worker: BoundWorker, how: 'stop' | 'kill'): void {
    this.#workers.delete(key);
    worker[how]();
  }

  #makeRoom(tenantId: string): void {
    const own = [...this.#workers].filter(([, worker]) => worker.route.tenantId === tenantId);
    const full =
      own.length >= this.#options.tenantWorkersMax
        ? own
        : this.#workers.size >= this.#options.workersMax
          ? [...this.#workers]
          : undefined;
    if (full === undefined) return;
    const [oldest] = full
      .filter(([, worker]) => worker.exchanges === 0)
      .sort(([, left], [, right]) => expendability(left) - expendability(right));
    if (oldest === undefined) throw new AppError('unavailable', { retryAfterSeconds: 1 });
    this.#remove(oldest[0], oldest[1], 'stop');
  }
}

/** Least recently used first; those with sessions after all without. */
function expendability(worker: BoundWorker): number {
  return worker.usedAtMs + (worker.sessions > 0 ? Number.MAX_SAFE_INTEGER / 2 : 0);
}

const ids = new WeakMap<BoundWorker, string>();

/** What operators call a worker by; it says nothing of its route. */
function idOf(worker: BoundWorker): string {
  const id = ids.get(worker) ?? randomUUID();
  ids.set(worker, id);
  return id;
}

function statusOf(worker: BoundWorker): WorkerStatus {
  const { route, exchanges, sessions, usedAtMs } = worker;
  const servers = route.mounts.map(({ serverSlug }) => serverSlug);
  return { id: idOf(worker), tenantId: route.tenantId, servers, exchanges, sessions, usedAtMs };
}
