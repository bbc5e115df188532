import { join } from 'node:path';
import { regionOf, type Environment } from '#libs/config';
import { UnplacedRefusals } from '#libs/audit';
import { openBlobStore } from '#libs/blobs';
import { followChanges } from '#libs/changes';
import type { ChangeListener } from '#libs/database';
import { runWhenMain, type Service } from '#libs/http';
import { TenantVault, waitForSchema } from '#libs/secrets';
import { LeasedQuota, SharedSlots, SlidingWindows } from '#libs/limits';
import { AccessTokenVerifier } from '#libs/identity';
import { PersonLogins } from '#libs/connections';
import { ConnectRecorder } from '#libs/connect-attempts';
import { RuntimeClient } from '#libs/protocol';
import { withMasterKeys } from '#libs/root-keys';
import type { RedisStore } from '#libs/redis';
import { databaseSupplier } from '#libs/supply';
import { createLogger, startTelemetry, type Logger } from '#libs/telemetry';
import { AccessTokens } from './access/access-tokens.js';
import { Access } from './access/authorize.js';
import { FailedAttempts } from './access/failed-attempts.js';
import { knownCredentials } from './access/known-credentials.js';
import { GrantUses } from './access/grant-uses.js';
import { ToolScopes } from './access/tool-scopes.js';
import { AuditSpool } from './audit-spool/audit-spool.js';
import { showSpool } from './audit-spool/spool-gauge.js';
import { parseGatewayConfig, type GatewayConfig } from './config.js';
import { ConnectAttempts } from './connect-attempts/connect-attempts.js';
import { openDatabases, type Databases } from './databases.js';
import { Dispatcher } from './dispatch/dispatcher.js';
import { Refusals } from './dispatch/refusals.js';
import { AllowedOrigins } from './edge/allowed-origins.js';
import { TenantUrls } from './edge/tenant-url.js';
import { hearChanges } from './hear-changes.js';
import { FrontDoor, type FrontDoorParts } from './front-door.js';
import { RESULT_MS } from './kept-results/result-store.js';
import { Limits } from './limits/admit.js';
import { CallLimits } from './limits/call-limits.js';
import { Approvals } from './policies/approvals.js';
import { Memberships } from './policies/memberships.js';
import { Policies } from './policies/policies.js';
import { Nonces } from './possession/nonces.js';
import { Possession } from './possession/possession.js';
import { UsedProofs } from './possession/used-proofs.js';
import { CallObserver } from './observation/call-observer.js';
import { Rollup } from './call-sums/rollup.js';
import { RollupWriter } from './call-sums/rollup-writer.js';
import { GatewayReadiness } from './readiness.js';
import { connectRedis } from './redis.js';
import type { StillAllowed } from './open-streams/stream-watch.js';
import { ResultCache } from './result-cache/result-cache.js';
import { CallSamples } from './rollouts/call-samples.js';
import { RolloutWatch } from './rollouts/rollout-watch.js';
import { ShadowCalls } from './rollouts/shadow-calls.js';
import { RouteTable } from './routing/route-table.js';
import { CallPipeline } from './serve-call.js';
import { buildStreamRooms } from './stream-rooms.js';
import { SessionDirectory } from './sessions/session-directory.js';
import { SessionIds } from './sessions/session-ids.js';
import { Sessions } from './sessions/sessions.js';
import { buildTaskRooms } from './tasks/build-task-rooms.js';
import { EarlyRefusals } from './overload/early-refusals.js';

const DRAIN_MS = 10_000;
/** How long calls that were ended may take to be recorded; a commit is waited for for five seconds. */
const RECORD_MS = 6_000;

/** What the gateway stands on. */
interface Ground extends Databases {
  readonly config: GatewayConfig;
  readonly logger: Logger;
  readonly redis: RedisStore;
  /** For kept results alone, which are large and take their time. */
  readonly resultRedis: RedisStore;
  readonly runtime: RuntimeClient;
  /** Lists and what else may be kept, until somebody says that it has changed. */
  readonly results: ResultCache;
  readonly spool: AuditSpool;
  readonly recorder: ConnectRecorder;
  readonly rollup: Rollup;
  readonly uses: GrantUses;
  readonly logins: PersonLogins;
  readonly unplaced: UnplacedRefusals;
}

/** Starts the gateway: tenant URLs in, workers' answers out. */
export async function start(environment: Environment): Promise<Service> {
  const config = parseGatewayConfig(await withMasterKeys(environment));
  const telemetry = startTelemetry('gateway');
  const ground = await openGround(config, createLogger('gateway', config.WHARF_LOG_LEVEL));
  const stopping = new AbortController();
  const readiness = new GatewayReadiness(ground);
  const rollups = new RollupWriter(ground.rollup, ground.database, ground.logger);
  let listener: ChangeListener | undefined;
  const rooms = buildRooms(ground, stopping.signal, () => listener?.connected === true);
  const { door, pipeline, samples, documents, close, forget, taskWatch, early } = rooms;
  listener = await hearChanges(ground.database, forget, documents);
  const feed = followChanges(ground.redis, forget);
  taskWatch.start();
  const drain = async (): Promise<void> => {
    stopping.abort();
    await pipeline.drained(DRAIN_MS);
  };
  return {
    name: 'gateway',
    listener: door.answer,
    readiness: () => readiness.read(listener),
    drain,
    async stop() {
      await drain();
      // What goes on after that ends now, and its record with it.
      await ground.runtime.close();
      await pipeline.drained(RECORD_MS);
      await Promise.all([rollups.stop(), ground.uses.stop(), ground.unplaced.stop(), taskWatch.stop()]);
      await ground.logins.stop();
      await Promise.all([ground.spool.close(), samples.close(), ground.recorder.close()]);
      feed.close();
      early.close();
      close();
      await Promise.all([listener.close(), ground.database.close(), ground.questions.close()]);
      for (const redis of [ground.redis, ground.resultRedis]) redis.disconnect();
      await telemetry.stop();
    },
  };
}

async function openGround(config: GatewayConfig, logger: Logger): Promise<Ground> {
  const { database, questions } = await openDatabases(config, logger);
  const blobs = await openBlobStore(database, config, (error) => logger.warn({ err: error }, 'object store is away'));
  const results = new ResultCache();
  const [redis, resultRedis, runtime, spool] = await Promise.all([
    connectRedis(config.REDIS_URL, logger),
    connectRedis(config.REDIS_URL, logger, RESULT_MS),
    RuntimeClient.connect({
      sockets: config.WHARF_RUNTIME_SOCKETS,
      holding: config.WHARF_RUNTIME_SOCKETS_HOLDING,
      intakeKey: config.WHARF_INTAKE_KEY,
      supplier: databaseSupplier(database, config.WHARF_MASTER_KEY, blobs),
      onListsChanged: (tenantId, servers) => results.forget(tenantId, tenantId === '*' ? undefined : servers),
    }),
    AuditSpool.open({
      root: join(config.WHARF_DATA_DIR, 'spool', 'gateway'),
      database,
      logger,
      entriesMax: config.WHARF_SPOOL_ENTRIES_MAX,
    }),
  ]);
  showSpool(spool);
  const recorder = new ConnectRecorder({ database, redis, masterKey: config.WHARF_MASTER_KEY, logger });
  return {
    config,
    logger,
    database,
    questions,
    redis,
    resultRedis,
    runtime,
    results,
    spool,
    recorder,
    rollup: new Rollup(),
    uses: new GrantUses(database, logger),
    logins: PersonLogins.of('gateway', database, config),
    unplaced: new UnplacedRefusals({ database, logger }),
  };
}

function buildRooms(ground: Ground, stopping: AbortSignal, hearing: () => boolean) {
  const { config, logger, database, redis, runtime, results, spool, rollup, logins } = ground;
  const routes = new RouteTable(database, hearing, regionOf(config));
  const held = knownCredentials(database, hearing);
  const refusals = new Refusals(spool, ground.unplaced);
  const observer = new CallObserver(rollup);
  const directory = new SessionDirectory(redis);
  const sessions = new Sessions({ directory, ids: new SessionIds(config.WHARF_MASTER_KEY), runtime, database });
  const access = new Access({
    issuer: config.issuer,
    tokens: new AccessTokens(new AccessTokenVerifier({ issuer: config.issuer, jwksUrl: config.jwksUrl })),
    ...held,
    possession: new Possession(new Nonces(config.WHARF_MASTER_KEY), new UsedProofs(redis)),
    attempts: new FailedAttempts(),
    uses: ground.uses,
    onKeyUse: ({ keyId }, call) => refusals.noteKeyUse(keyId, call),
  });
  const memberships = new Memberships(database, hearing);
  const policies = new Policies(memberships, config.WHARF_REGION);
  const samples = new CallSamples(database, logger);
  const stillAllowed = stillAllowedBy(access, routes, policies);
  const toolScopes = new ToolScopes(database);
  const streamGround = { ...ground, routes, sessions, toolScopes, lists: results, stillAllowed, stopping };
  const { tenantKeys, listChanges, close, ...streams } = buildStreamRooms(streamGround);
  const shadows = new ShadowCalls({ runtime, routes, samples, documents: streams.documents });
  const rollouts = new RolloutWatch(samples, shadows);
  const { tasks, taskWatch } = buildTaskRooms(ground, routes);
  const worked = { runtime, spool, sessions, results, logins, ...streams, tasks, observer, logger, rollouts };
  const dispatcher = new Dispatcher({ ...worked, heartbeatMs: config.WHARF_HEARTBEAT_MS, stopping });
  const limits = new Limits(new LeasedQuota(redis), new SharedSlots(redis));
  const callLimits = new CallLimits(new SlidingWindows(redis));
  const approvals = new Approvals(database, new TenantVault(config.WHARF_MASTER_KEY));
  const attempts = new ConnectAttempts({ recorder: ground.recorder, routes, trustProxy: config.trustProxy });
  const admission = { routes, access, toolScopes, limits, callLimits, policies, approvals, sessions };
  const pipeline = new CallPipeline({ ...admission, rollouts, dispatcher, refusals, attempts, observer, logger });
  const early = new EarlyRefusals(routes, config.WHARF_OVERLOAD_DELAY_MS);
  const door = buildDoor(ground, { routes, pipeline, attempts, early });
  const forget = (tenantId: string): void => {
    const all = [routes, results, logins, memberships, tenantKeys, ...Object.values(held)];
    for (const kept of all) kept.forget(tenantId);
    listChanges.tell(tenantId);
    directory.doubt(tenantId);
  };
  return { door, pipeline, samples, documents: streams.documents, close, forget, taskWatch, early };
}

/** A listener of the 2026 era moves with its URL; a session's stream ends with the release that was taken from it. */
function stillAllowedBy(access: Access, routes: RouteTable, policies: Policies): StillAllowed {
  return async (call) =>
    (await access.stillAllows(call)) &&
    (await policies.stillAllows(call, routes)) &&
    (call.exchange.era === 'modern' || (await routes.serves(call.target, call.route).catch(() => true)));
}

function buildDoor(
  { config, logger, unplaced }: Ground,
  behind: Pick<FrontDoorParts, 'routes' | 'pipeline' | 'attempts' | 'early'>,
): FrontDoor {
  const { WHARF_PUBLIC_URL: publicUrl, issuer, trustProxy } = config;
  const urls = new TenantUrls({ publicUrl, baseDomain: config.WHARF_BASE_DOMAIN });
  const origins = new AllowedOrigins({ urls, everywhere: config.WHARF_WEB_CLIENT_ORIGINS, routes: behind.routes });
  return new FrontDoor({ urls, origins, publicUrl, issuer, trustProxy, logger, unplaced, ...behind });
}

await runWhenMain(
  import.meta,
  start,
  waitForSchema({
    role: 'wharf_gateway',
    configOf: async (environment) => parseGatewayConfig(await withMasterKeys(environment)),
  }),
);
