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
 * What one of each costs, by `npm run scaling` (docs/scaling.md). CPU is in calls of a bare SDK server that ask the
 * same of the same upstream, because that is what another machine changes; `bareCallUs` is what such a call takes of the machine
 * that sizes are printed for. Memory as it is shared out between processes (PSS).
 */
export const FIGURES = {
  bareCallUs: 215,
  bareCalls: { gateway: 1.75, runtime: 1.05, worker: 1.25, postgres: 0.5, redis: 0.03 },
  /** After it has worked; 30 before its first call. */
  workerMb: 45,
  sessionWorkerKb: 12,
  sessionRedisBytes: 1_180,
  auditBytesPerCall: 1_010,
} as const;

/** The figures of somebody's machine. */
export interface Figures {
  readonly bareCallUs: number;
  readonly bareCalls: Readonly<Record<keyof typeof FIGURES.bareCalls, number>>;
  readonly workerMb: number;
  readonly sessionWorkerKb: number;
  readonly sessionRedisBytes: number;
  readonly auditBytesPerCall: number;
}

/** What is left free on purpose. */
export const HEADROOM = {
  /** Nothing is planned to be busier than that at its peak. */
  busy: 0.5,
  /** Redis grows by a third when it copies itself, and fragments. */
  redis: 1.5,
} as const;

/**
 * Bounds that were chosen, not measured; the autoscalers of k8s/base have the same. A gateway's figures tell 20,000 sessions
 * apart, so that more of them are not seen to grow; a runtime that is lost ends all workers that it has.
 */
export const BOUNDS = { sessionsPerGateway: 15_000, workersPerRuntime: 100, tokensPerAuthServer: 100 } as const;

/** Of every service one more than the load needs: the load is carried with one lost, or while one is replaced. */
export const SPARE = 1;

/** How long an agent's access token is good for: an agent that works fetches one so often. */
const TOKEN_SECONDS = 600;

/** What a call is in an archive, compressed: digests and ids of its own are most of it. */
export const ARCHIVE_BYTES_PER_CALL = 150;

/** What a worker's pod asks a cluster for, whatever it uses: its own request, and what gVisor takes on top. */
export const POD = { cores: 0.1 + 0.05, mb: 256 + 40 } as const;

/** What a load needs. */
export interface Size {
  readonly gatewayCores: number;
  readonly runtimeCores: number;
  readonly workerCores: number;
  readonly workers: number;
  readonly workersGb: number;
  readonly redisGb: number;
  readonly redisCores: number;
  readonly postgresCores: number;
  readonly auditGb: number;
  /** What a year's calls take when they are archived, wherever archives are. */
  readonly archivesGbPerYear: number;
  /** A gateway and a runtime are one thread each. */
  readonly gateways: number;
  readonly runtimes: number;
  readonly authServers: number;
  readonly controlPlanes: number;
  /** What a cluster must have free where each worker is a pod. */
  readonly podCores: number;
  readonly podGb: number;
}

/** The size of an installation that carries a load, by what each call, session and tenant was measured to cost. */
export function sizeFor(load: Load, figures: Figures = FIGURES): Size {
  const { bareCalls, bareCallUs } = figures;
  const cores = (calls: number): number => (load.callsPerSecondPeak * calls * bareCallUs) / 1e6 / HEADROOM.busy;
  const workers = Math.ceil(load.tenants * load.activeShare);
  const [gatewayCores, runtimeCores] = [cores(bareCalls.gateway), cores(bareCalls.runtime)];
  const { sessionsPerGateway, workersPerRuntime, tokensPerAuthServer } = BOUNDS;
  const copies = (...needs: number[]): number => Math.ceil(Math.max(1, ...needs)) + SPARE;
  return {
    gatewayCores,
    runtimeCores,
    workerCores: cores(bareCalls.worker),
    workers,
    workersGb: (workers * figures.workerMb) / 1024 + (load.sessions * figures.sessionWorkerKb) / 1024 ** 2,
    redisGb: (load.sessions * figures.sessionRedisBytes * HEADROOM.redis) / 1024 ** 3,
    redisCores: cores(bareCalls.redis),
    postgresCores: cores(bareCalls.postgres),
    auditGb: (load.callsPerDay * load.retentionDays * figures.auditBytesPerCall) / 1024 ** 3,
    archivesGbPerYear: (load.callsPerDay * 365 * ARCHIVE_BYTES_PER_CALL) / 1024 ** 3,
    gateways: copies(gatewayCores, load.sessions / sessionsPerGateway),
    runtimes: copies(runtimeCores, workers / workersPerRuntime),
    authServers: copies(load.sessions / TOKEN_SECONDS / tokensPerAuthServer),
    controlPlanes: copies(),
    podCores: workers * POD.cores,
    podGb: (workers * POD.mb) / 1024,
  };
}

/** How long a plan keeps calls in PostgreSQL: by default, and at the least. */
export const RETENTION_DAYS = { default: 365, least: 30 } as const;

/** From small to the largest that is planned for: a tenth of the tenants is awake, and a session calls once in a minute. */
const PLANNED: readonly Load[] = [100, 1_000, 10_000, 100_000].map((tenants) => ({
  tenants,
  activeShare: 0.1,
  sessions: tenants * 10,
  callsPerSecondPeak: (tenants * 10) / 60,
  callsPerDay: ((tenants * 10) / 60) * 86_400 * 0.3,
  retentionDays: RETENTION_DAYS.default,
}));

const COLUMNS: ReadonlyArray<readonly [string, (load: Load, size: Size) => string]> = [
  ['tenants', ({ tenants }) => `${tenants}`],
  ['sessions', ({ sessions }) => `${sessions}`],
  ['calls/s at peak', ({ callsPerSecondPeak }) => callsPerSecondPeak.toFixed(0)],
  ['gateways', (_, { gateways }) => `${gateways}`],
  ['their cores', (_, { gatewayCores }) => gatewayCores.toFixed(1)],
  ['runtimes', (_, { runtimes }) => `${runtimes}`],
  ['their cores with workers', (_, { runtimeCores, workerCores }) => (runtimeCores + workerCores).toFixed(1)],
  ['auth-servers', (_, { authServers }) => `${authServers}`],
  ['control-planes', (_, { controlPlanes }) => `${controlPlanes}`],
  ['workers', (_, { workers }) => `${workers}`],
  ['workers, GB', (_, { workersGb }) => workersGb.toFixed(1)],
  ['as pods: cores asked for', (_, { podCores }) => podCores.toFixed(0)],
  ['GB', (_, { podGb }) => podGb.toFixed(0)],
  ['Redis, GB', (_, { redisGb }) => redisGb.toFixed(2)],
  ['PostgreSQL cores', (_, { postgresCores }) => postgresCores.toFixed(1)],
  ['audit of 365 days, GB', (_, { auditGb }) => auditGb.toFixed(0)],
  ['of 30 days, GB', (load) => sizeFor({ ...load, retentionDays: RETENTION_DAYS.least }).auditGb.toFixed(0)],
  ['a year’s archives, GB', (_, { archivesGbPerYear }) => archivesGbPerYear.toFixed(0)],
];

/** The sizes of what is planned for, as rows of cells; the first are the headings. */
export function plannedSizes(): string[][] {
  const rows = PLANNED.map((load) => COLUMNS.map(([, cell]) => cell(load, sizeFor(load))));
  return [COLUMNS.map(([heading]) => heading), ...rows];
}
