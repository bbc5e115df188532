/** What an installation has to carry. */
export interface Load {
  readonly tenants: number;
  /** Share of the tenants that have a worker at the busiest time: a worker that rests for long is ended. */
  readonly activeShare: number;
  /** Sessions of the 2025 era that are open at once. */
  readonly sessions: number;
  readonly callsPerSecondPeak: number;
  readonly callsPerDay: number;
  /** How long the audit log keeps calls in PostgreSQL. */
  readonly retentionDays: number;
}

/**
 * What one of each costs: of 2 cores on 2026-11-21 and 22 (docs/performance.md, `npm run scaling`). CPU in µs for a call
 * with an upstream, 32 in flight, on a machine that nobody else uses; memory as it is shared out between processes (PSS).
 */
export const FIGURES = {
  cpuUs: { gateway: 100, runtime: 60, worker: 35, postgres: 65, redis: 5 },
  /** After it has worked; 30 before its first call. */
  workerMb: 45,
  sessionWorkerKb: 12,
  sessionRedisBytes: 1_180,
  auditBytesPerCall: 1_010,
  /** Of a service before it has done anything. */
  serviceMb: 130,
} as const;

/** Nothing is planned to be busier than that at its peak. */
const BUSY = 0.5;
/** Redis grows by a third when it copies itself, and fragments. */
const REDIS_ROOM = 1.5;
const MIN_COPIES = 2;

/** What a load needs. */
export interface Size {
  readonly gatewayCores: number;
  readonly runtimeCores: number;
  readonly workers: number;
  readonly workersGb: number;
  readonly redisGb: number;
  readonly redisCores: number;
  readonly postgresCores: number;
  readonly auditGb: number;
  /** A gateway and a runtime are one thread each. */
  readonly gateways: number;
  readonly runtimes: number;
}

/** The size of an installation that carries a load, by what each call, session and tenant was measured to cost. */
export function sizeFor(load: Load, figures: typeof FIGURES = FIGURES): Size {
  const cores = (us: number): number => (load.callsPerSecondPeak * us) / 1e6 / BUSY;
  const workers = Math.ceil(load.tenants * load.activeShare);
  const { cpuUs } = figures;
  const runtimeCores = cores(cpuUs.runtime);
  return {
    gatewayCores: cores(cpuUs.gateway),
    runtimeCores: runtimeCores + cores(cpuUs.worker),
    workers,
    workersGb: (workers * figures.workerMb) / 1024 + (load.sessions * figures.sessionWorkerKb) / 1024 ** 2,
    redisGb: (load.sessions * figures.sessionRedisBytes * REDIS_ROOM) / 1024 ** 3,
    redisCores: cores(cpuUs.redis),
    postgresCores: cores(cpuUs.postgres),
    auditGb: (load.callsPerDay * load.retentionDays * figures.auditBytesPerCall) / 1024 ** 3,
    gateways: Math.max(MIN_COPIES, Math.ceil(cores(cpuUs.gateway))),
    runtimes: Math.max(MIN_COPIES, Math.ceil(runtimeCores)),
  };
}
