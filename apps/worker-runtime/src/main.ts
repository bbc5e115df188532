import { totalmem } from 'node:os';
import type { Environment } from '#libs/config';
import { readinessOf, runWhenMain, sendJson, type Service } from '#libs/http';
import type { Eviction } from '#libs/protocol';
import { createLogger, meter, startTelemetry, type Logger } from '#libs/telemetry';
import { CallAdmission } from './overload/call-admission.js';
import { podConfig, readConfig, workersHome, type RuntimeConfig } from './config.js';
import { Egress } from './egress/egress.js';
import { IntakeServer } from './intake/intake-server.js';
import { TenantSupplies } from './intake/tenant-supplies.js';
import { workerMemory } from './isolation/worker-memory.js';
import { openDriver } from './isolation/open-driver.js';
import { assertThirdPartyCode, mayRunThirdPartyCode, type ThirdPartyPolicy } from './isolation/third-party-code.js';
import type { WorkerDriver } from './isolation/worker-driver.js';
import { DrainSwitch } from './operation/drain-switch.js';
import { OperationDesk } from './operation/operation-desk.js';
import { RegistryOutlet } from './sessions/registry-outlet.js';
import { ReleaseBuilds } from './sessions/release-builds.js';
import { WorkerPool, type WorkerPoolOptions } from './sessions/worker-pool.js';

/** What an idle worker holds, for how many fit on this machine. */
const WORKER_BYTES = 96 * 1024 * 1024;
const WORKERS_MIN = 8;
const TENANT_SHARE = 0.25;

/** Starts a worker-runtime: workers, their egress, and the socket that callers send signed calls to. */
export async function start(environment: Environment): Promise<Service> {
  const config = readConfig(environment);
  const telemetry = startTelemetry('worker-runtime');
  const logger = createLogger('worker-runtime', config.WHARF_LOG_LEVEL);
  const { rooms, stopWorkers } = await openRooms(config, logger);
  const stopAll = async (): Promise<void> => {
    await stopWorkers();
    await telemetry.stop();
  };
  const intake = await IntakeServer.listen(config.WHARF_RUNTIME_SOCKETS, rooms).catch(async (error: unknown) => {
    await stopAll();
    throw error;
  });
  logger.info({ socket: config.WHARF_RUNTIME_SOCKETS }, 'worker-runtime listens');
  return {
    name: 'worker-runtime',
    listener: (_request, response) => sendJson(response, 404, { title: 'Nothing was found here.' }),
    readiness: () => readinessOf({ intake: async () => intake.check() }),
    leave: () => rooms.drain.set(true),
    async stop() {
      await intake.stop();
      await stopAll();
    },
  };
}

async function openRooms(config: RuntimeConfig, logger: Logger) {
  const driver = await openConfiguredDriver(config, logger);
  const egress = new Egress();
  const supplies = new TenantSupplies();
  const assertThirdParty = (): void => assertThirdPartyCode(driver, policyOf(config));
  const registry = new RegistryOutlet(egress, config.WHARF_REGISTRY_URL);
  const builds = new ReleaseBuilds({ driver, egress, assertThirdParty, registry });
  const pool = openPool(config, { driver, egress, logger, assertThirdParty });
  const drain = new DrainSwitch();
  const evict = (tenantId: string, why: Eviction): void => {
    supplies.forget(tenantId);
    pool.evict(tenantId, why);
    builds.evict(tenantId, why);
    egress.forget(tenantId);
  };
  const admission = new CallAdmission(config.WHARF_OVERLOAD_DELAY_MS);
  const stopWorkers = async (): Promise<void> => {
    admission.stop();
    pool.stop();
    await Promise.all([driver.close(), egress.close()]);
  };
  const rooms = {
    runtimeId: config.WHARF_RUNTIME_ID,
    intakeKey: config.WHARF_INTAKE_KEY,
    pool,
    builds,
    supplies,
    refuses: admission.refuses,
    evict,
    upstreams: egress.upstreams.bind(egress),
    listNews: egress.listNews,
    driftHints: () => egress.drift.take(),
    breakerChanges: () => egress.breakerNews.take(),
    desk: new OperationDesk({
      runtimeId: config.WHARF_RUNTIME_ID,
      workersMax: workersMax(),
      pool,
      builds,
      drain,
      logger,
    }),
    drain,
    logger,
  };
  return { rooms, stopWorkers };
}

async function openConfiguredDriver(config: RuntimeConfig, logger: Logger): Promise<WorkerDriver> {
  const driver = await openDriver(
    {
      name: config.WHARF_WORKER_DRIVER,
      home: workersHome(config),
      bubblewrap: { program: config.WHARF_BUBBLEWRAP, libraryPath: config.WHARF_BUBBLEWRAP_LIBRARIES },
      scratchMb: config.WHARF_WORKER_SCRATCH_MB,
      ...(config.WHARF_WORKER_DRIVER === 'pod' ? { pods: podConfig(config) } : {}),
    },
    logger,
  );
  if (!mayRunThirdPartyCode(driver, policyOf(config)))
    logger.warn('plain processes are no boundary against hostile code, so no code of others runs here');
  return driver;
}

function policyOf({ WHARF_ALLOW_UNSANDBOXED: allowUnsandboxed }: RuntimeConfig): ThirdPartyPolicy {
  return { allowUnsandboxed };
}

/** How many workers fit on this machine. */
function workersMax(): number {
  return Math.max(WORKERS_MIN, Math.floor(totalmem() / 2 / WORKER_BYTES));
}

type PoolRooms = Pick<WorkerPoolOptions, 'driver' | 'egress' | 'logger' | 'assertThirdParty'>;

function openPool(config: RuntimeConfig, rooms: PoolRooms): WorkerPool {
  const pool = new WorkerPool({
    ...rooms,
    memoryMb: config.WHARF_WORKER_MEMORY_MB,
    idleMs: config.WHARF_WORKER_IDLE_SECONDS * 1_000,
    serverIdleMs: config.WHARF_SERVER_IDLE_SECONDS * 1_000,
    warm: config.WHARF_WARM_WORKERS,
    workersMax: workersMax(),
    tenantWorkersMax: Math.ceil(workersMax() * TENANT_SHARE),
  });
  const memory = meter('sessions').createObservableGauge('wharf_worker_memory_bytes', {
    description: 'Memory that workers hold together, and the one that holds most.',
    unit: 'By',
  });
  memory.addCallback((result) => {
    const held = workerMemory();
    result.observe(held.sum, { of: 'all' });
    result.observe(held.most, { of: 'largest' });
  });
  const queue = meter('sessions').createObservableGauge('wharf_worker_exchanges', {
    description: 'Exchanges open in workers: all of them, and those of the worker with most.',
  });
  queue.addCallback((result) => {
    const open = pool.exchanges;
    result.observe(open.sum, { of: 'all' });
    result.observe(open.most, { of: 'busiest' });
  });
  const gauge = meter('sessions').createObservableGauge('wharf_workers', { description: 'Workers bound to a route.' });
  gauge.addCallback((result) => result.observe(pool.size));
  return pool;
}

await runWhenMain(import.meta, start);
