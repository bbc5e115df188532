import 'reflect-metadata';
import type { KeyObject } from 'node:crypto';
import { dedicatedOf, type Environment } from '#libs/config';
import { openBlobStore, type BlobStore } from '#libs/blobs';
import { ChangeAnnouncer } from '#libs/changes';
import { BACKGROUND_COPIES, Database, SharedCopies, requireSchema } from '#libs/database';
import { AppError } from '#libs/errors';
import { readinessOf, runWhenMain, sendProblem, type Service } from '#libs/http';
import { answerReads } from '#libs/knowledge';
import { RuntimeClient, type Supplier } from '#libs/protocol';
import { openForQueues, openRedis, queuePrefix, type QueueConnection, type RedisStore } from '#libs/redis';
import { databaseSupplier } from '#libs/supply';
import { createLogger, startTelemetry, type Logger } from '#libs/telemetry';
import { acceptMasterKeys, PersonKeys, TenantVault, waitForSchema } from '#libs/secrets';
import { withMasterKeys } from '#libs/root-keys';
import { AuditSequencer } from './audit-log/audit-sequencer.js';
import { provideCheckpointKey } from './audit-log/checkpoint-key.js';
import { parseBackgroundConfig, type BackgroundConfig } from './config.js';
import { DeleteTenant } from './deletions/delete-tenant.js';
import { MoveClock } from './tenant-moves/move-clock.js';
import { MoveTenant } from './tenant-moves/move-tenant.js';
import { ExportTenant } from './exports/export-tenant.js';
import { DeletionClock } from './deletions/deletion-clock.js';
import { ImportClock } from './imports/import-clock.js';
import { showAuditState } from './audit-log/audit-gauges.js';
import { showUnusedObjects } from './blobs/object-gauge.js';
import { showBacklog } from './outbox/backlog-gauge.js';
import { Shutdown } from './shutdown.js';
import { startMail } from './mail/start-mail.js';
import { WebhookSender } from './webhooks/sender.js';
import { startWork, type Work } from './work.js';

/** The background service's database role. */
const ROLE = 'wharf_background';
/** The role under which it reads, brings in and deletes one tenant as a whole. */
const LIFE_CYCLE_ROLE = 'wharf_life_cycle';
/** Every key of its queues begins with it. */
const COMMAND_MS = 1_000;

/** Starts the background service. @throws ConfigError, or what a database that cannot be reached throws */
export async function start(environment: Environment): Promise<Service> {
  const config = parseBackgroundConfig(await withMasterKeys(environment));
  const logger = createLogger('background', config.WHARF_LOG_LEVEL);
  const shutdown = new Shutdown(logger);
  try {
    return await open(config, shutdown, logger);
  } catch (error) {
    await shutdown.run();
    throw error;
  }
}

async function open(
  config: BackgroundConfig,
  shutdown: Shutdown,
  logger: ReturnType<typeof createLogger>,
): Promise<Service> {
  const telemetry = startTelemetry('background');
  shutdown.add('telemetry', () => telemetry.stop());
  const database = await openDatabase(config, shutdown, logger);
  await requireSchema(database);
  await acceptMasterKeys(database, config.WHARF_MASTER_KEY);
  showState(database, shutdown);
  const supplies = await suppliesOf(config, database, logger);
  const runtime = await RuntimeClient.connect({
    sockets: config.WHARF_RUNTIME_SOCKETS,
    holding: config.WHARF_RUNTIME_SOCKETS_HOLDING,
    intakeKey: config.WHARF_INTAKE_KEY,
    supplier: supplies.supplier,
    answerAsk: answerReads(database),
  });
  shutdown.add('runtime', () => runtime.close());
  const { redis, announcer, queueConnection } = await openQueuesAndChanges(config, shutdown, logger);
  const persons = new PersonKeys(config.WHARF_MASTER_KEY);
  const sender = new WebhookSender();
  shutdown.add('webhook sender', () => sender.close());
  const sending = { database, vault: new TenantVault(config.WHARF_MASTER_KEY), persons, sender };
  const key = await provideCheckpointKey(database, config.WHARF_MASTER_KEY);
  await keepCopies(database, shutdown, logger);
  const audit = new AuditSequencer({ database, persons, key, publicUrl: new URL(config.WHARF_PUBLIC_URL), logger });
  const lifeCycle = await lifeCycleOf(config, shutdown, { database, runtime, redis, key, audit, logger, ...supplies });
  const parts = {
    database,
    masterKey: config.WHARF_MASTER_KEY,
    runtime,
    ...supplies,
    announcer,
    audit,
    ...lifeCycle,
    sending,
    logger,
    region: config.WHARF_REGION,
    queueConnection,
    registryUrl: config.WHARF_REGISTRY_URL,
    driftCheckSeconds: config.WHARF_DRIFT_CHECK_SECONDS,
  };
  const mail = startMail(config, database, logger);
  shutdown.add('mail', () => mail.stop());
  const work = await startWork(parts, shutdown, () => mail.ring());
  logger.info('background started');
  return serviceOf(database, runtime, work, shutdown);
}

async function openDatabase(config: BackgroundConfig, shutdown: Shutdown, logger: Logger): Promise<Database> {
  const database = await Database.connect({
    databaseUrl: config.DATABASE_URL,
    role: ROLE,
    masterKey: config.WHARF_MASTER_KEY,
    dedicated: dedicatedOf(config),
    onAway: awayWarning(logger),
  });
  shutdown.add('database', () => database.close());
  return database;
}

/** The keys that checkpoints are proved with, in dedicated databases too. */
async function keepCopies(database: Database, shutdown: Shutdown, logger: Logger): Promise<void> {
  const copies = new SharedCopies(database, BACKGROUND_COPIES, (error) =>
    logger.warn({ err: error }, 'checkpoint keys could not be copied to a dedicated database; trying again'),
  );
  shutdown.add('shared copies', () => copies.stop());
  await copies.start();
}

async function openQueuesAndChanges(
  config: BackgroundConfig,
  shutdown: Shutdown,
  logger: ReturnType<typeof createLogger>,
): Promise<{
  readonly redis: RedisStore;
  readonly announcer: ChangeAnnouncer;
  readonly queueConnection: QueueConnection;
}> {
  const onError = (error: Error): void => logger.warn({ err: error }, 'Redis connection failed');
  const redis = openRedis(config.REDIS_URL, { commandMs: COMMAND_MS, onError });
  const queueConnection = openForQueues(config.REDIS_URL, queuePrefix(config.WHARF_REGION), onError);
  const announcer = await ChangeAnnouncer.open(redis);
  shutdown.add('announcer', async () => {
    announcer.close();
    redis.disconnect();
    queueConnection.close();
  });
  return { redis, announcer, queueConnection };
}

function awayWarning(logger: Logger): (name: string, error: unknown) => void {
  return (name, error) => logger.warn({ err: error, database: name }, 'dedicated database is away');
}

/** The gauges that are read from the database. */
function showState(database: Database, shutdown: Shutdown): void {
  shutdown.add('backlog', showBacklog(database));
  shutdown.add('audit-state', showAuditState(database));
  shutdown.add('unused-objects', showUnusedObjects(database));
}

/** Where large bytes are, and what workers are given of them. */
async function suppliesOf(
  config: BackgroundConfig,
  database: Database,
  logger: ReturnType<typeof createLogger>,
): Promise<{ readonly blobs: BlobStore; readonly supplier: Supplier }> {
  const blobs = await openBlobStore(database, config, (error) => logger.warn({ err: error }, 'object store is away'));
  return { blobs, supplier: databaseSupplier(database, config.WHARF_MASTER_KEY, blobs) };
}

/** What exports, imports, deletes and moves tenants, over connections of roles of their own. */
async function lifeCycleOf(
  config: BackgroundConfig,
  shutdown: Shutdown,
  parts: {
    readonly database: Database;
    readonly runtime: RuntimeClient;
    readonly redis: RedisStore;
    readonly key: KeyObject;
    readonly audit: AuditSequencer;
    readonly logger: Logger;
    readonly blobs: BlobStore;
  },
): Promise<{
  readonly deletions: DeletionClock;
  readonly exports: ExportTenant;
  readonly imports: ImportClock;
  readonly moves: MoveClock;
}> {
  const { DATABASE_URL: databaseUrl, WHARF_MASTER_KEY: masterKey, WHARF_PUBLIC_URL: publicUrl } = config;
  const lifeCycle = await Database.connect({
    databaseUrl,
    masterKey,
    role: LIFE_CYCLE_ROLE,
    poolSize: 3,
    dedicated: dedicatedOf(config),
    onAway: awayWarning(parts.logger),
  });
  shutdown.add('life-cycle database', () => lifeCycle.close());
  const { databases: dedicated } = dedicatedOf(config);
  const moving = new MoveTenant({ databaseUrl, masterKey, dedicated });
  const signLog = (tenantId: string): Promise<boolean> => parts.audit.signWhole(tenantId);
  const deleting = new DeleteTenant({ ...parts, database: lifeCycle, signLog, installation: publicUrl });
  return {
    deletions: new DeletionClock(lifeCycle, deleting, parts.logger, config.WHARF_REGION),
    moves: new MoveClock(parts.database, moving, parts.logger),
    exports: new ExportTenant({ ...parts, lifeCycle, publicUrl, vault: new TenantVault(masterKey) }),
    imports: new ImportClock({ ...parts, lifeCycle, masterKey }, parts.logger),
  };
}

function serviceOf(database: Database, runtime: RuntimeClient, work: Work, shutdown: Shutdown): Service {
  return {
    name: 'background',
    listener: (_request, response) => sendProblem(response, new AppError('not_found')),
    readiness: () =>
      readinessOf({
        database: () => requireSchema(database),
        ...(database.hasDedicated ? { dedicated: () => database.dedicatedState() } : {}),
        redis: () => work.pingQueues(),
        runtime: async () => {
          if (!runtime.ready) throw new Error(runtime.problems[0] ?? 'no worker-runtime is connected');
        },
      }),
    stop: () => shutdown.run(),
  };
}

await runWhenMain(
  import.meta,
  start,
  waitForSchema({
    role: ROLE,
    configOf: async (environment) => parseBackgroundConfig(await withMasterKeys(environment)),
  }),
);
