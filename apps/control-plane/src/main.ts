import { dedicatedOf, type Environment } from '#libs/config';
import { openBlobStore } from '#libs/blobs';
import { ChangeAnnouncer } from '#libs/changes';
import { Database, OPERATORS_COPIES, SharedCopies, requireSchema, warnWhenAway } from '#libs/database';
import { readinessOf, runWhenMain, type Readiness, type Service } from '#libs/http';
import { RuntimeClient } from '#libs/protocol';
import { MasterKeyRewrapper } from '#libs/rewrap';
import { withMasterKeys } from '#libs/root-keys';
import { acceptMasterKeys, waitForSchema } from '#libs/secrets';
import { openRedis } from '#libs/redis';
import { databaseSupplier } from '#libs/supply';
import { createLogger, startTelemetry } from '#libs/telemetry';
import { assemble } from './application.js';
import { parseControlPlaneConfig, type ControlPlaneConfig } from './config.js';
import { StoreGuard } from './platform-egress/store-guard.js';
import { tenantNoteSweep } from './operator-orders/tenant-notes.js';
import type { Platform } from './platform/platform.module.js';

/** Half as many again as one tenant's requests can hold (`RUNNING_MAX`). */
const TENANT_CONNECTIONS = 24;
const COMMAND_MS = 1_000;

/** First versions without known leaks of row-level security, by major version (CVE-2026-120154, CVE-2026-16237); docs/decisions/postgresql-version.md. */
const SAFE_POSTGRES: Readonly<Record<number, number>> = {
  18: 180_007,
  17: 170_012,
  16: 160_016,
  15: 150_020,
  14: 140_025,
};

/** Opens what the service works with; closes again what was open when a later part fails. */
async function open(config: ControlPlaneConfig, closers: Array<() => Promise<unknown>>): Promise<Platform> {
  const logger = createLogger('control-plane', config.WHARF_LOG_LEVEL);
  const connection = {
    databaseUrl: config.DATABASE_URL,
    masterKey: config.WHARF_MASTER_KEY,
    dedicated: dedicatedOf(config),
    onAway: (name: string, error: unknown) => logger.warn({ err: error, database: name }, 'dedicated database is away'),
  };
  const tenantDatabase = await Database.connect({ ...connection, role: 'wharf_control', poolSize: TENANT_CONNECTIONS });
  closers.push(() => tenantDatabase.close());
  await requireSchema(tenantDatabase);
  await acceptMasterKeys(tenantDatabase, config.WHARF_MASTER_KEY);
  const operatorDatabase = await Database.connect({ ...connection, role: 'wharf_operator', poolSize: 4 });
  closers.push(() => operatorDatabase.close());
  const rewrapper = new MasterKeyRewrapper(operatorDatabase, config.WHARF_MASTER_KEY, 'control-plane', logger);
  rewrapper.start();
  closers.push(() => rewrapper.stop());
  const copies = new SharedCopies(operatorDatabase, OPERATORS_COPIES, (error) =>
    logger.warn({ err: error }, 'shared rows could not be copied to a dedicated database; trying again'),
  );
  await copies.start();
  closers.push(() => copies.stop());
  const notes = tenantNoteSweep(operatorDatabase, logger);
  notes.start();
  closers.push(() => notes.stop());
  const guard = new StoreGuard(operatorDatabase, config, logger);
  guard.start();
  closers.push(() => guard.stop());
  const redis = openRedis(config.REDIS_URL, {
    commandMs: COMMAND_MS,
    onError: (error) => logger.warn({ err: error }, 'Redis connection failed'),
  });
  closers.push(async () => redis.disconnect());
  const announcer = await ChangeAnnouncer.open(redis);
  closers.push(async () => announcer.close());
  const onAway = (error: Error): void => logger.warn({ err: error }, 'object store is away');
  const blobs = await openBlobStore(tenantDatabase, config, onAway);
  const runtime = await RuntimeClient.connect({
    sockets: config.WHARF_RUNTIME_SOCKETS,
    holding: config.WHARF_RUNTIME_SOCKETS_HOLDING,
    intakeKey: config.WHARF_INTAKE_KEY,
    supplier: databaseSupplier(tenantDatabase, config.WHARF_MASTER_KEY, blobs),
  });
  closers.push(() => runtime.close());
  return { config, tenantDatabase, operatorDatabase, redis, announcer, runtime, blobs, logger };
}

/** What this service needs to be of use; a lost Redis or runtime stops only part of it. */
async function readinessWith({ tenantDatabase, redis, runtime }: Platform): Promise<Readiness> {
  return readinessOf({
    postgres: async () => {
      let version = Infinity;
      const said = await warnWhenAway(async () => {
        await requireSchema(tenantDatabase);
        version = await tenantDatabase.serverVersion();
      });
      return version < (SAFE_POSTGRES[Math.floor(version / 10_000)] ?? 0)
        ? 'warning: this PostgreSQL version has known leaks of row-level security; update it'
        : said;
    },
    ...(tenantDatabase.hasDedicated ? { dedicated: () => tenantDatabase.dedicatedState() } : {}),
    redis: () =>
      redis.ping().then(
        () => 'ok',
        () => 'warning: Redis is away; sign-ups are counted by this process',
      ),
    runtime: async () =>
      runtime.ready
        ? 'ok'
        : `warning: ${runtime.problems[0] ?? 'no worker-runtime is connected'}; releases cannot be built`,
  });
}

/** Starts the management and admin API. @throws ConfigError, or when the database cannot be reached. */
export async function start(environment: Environment): Promise<Service> {
  const config = parseControlPlaneConfig(await withMasterKeys(environment));
  const telemetry = startTelemetry('control-plane');
  const closers: Array<() => Promise<unknown>> = [() => telemetry.stop()];
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).toReversed()) await close();
  };
  try {
    const platform = await open(config, closers);
    const application = await assemble(platform);
    closers.push(() => application.close());
    return {
      name: 'control-plane',
      listener: application.listener,
      readiness: () => readinessWith(platform),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

await runWhenMain(
  import.meta,
  start,
  waitForSchema({
    role: 'wharf_control',
    configOf: async (environment) => parseControlPlaneConfig(await withMasterKeys(environment)),
  }),
);
