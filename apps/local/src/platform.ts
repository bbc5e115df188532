import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { revealRing, type Environment, type Secret } from '#libs/config';
import {
  bubblewrapEnvironment,
  EmbeddedError,
  findBubblewrap,
  openDataFolder,
  provideIntakeKey,
  provideOperatorKey,
  type DataFolder,
} from '#libs/embedded';
import { closeServer, type Readiness } from '#libs/http';
import { createLogger, logToFile } from '#libs/telemetry';
import { migrateAll } from '#migrations';
import type { LocalConfig } from './config.js';
import { FrontDoor } from './front-door.js';
import { provideMasterKey } from './master-key.js';
import { provideOperator } from './operator-key.js';
import { RuntimeProcess } from './runtime-process.js';
import { startServices, type Services } from './services.js';
import { CACHE_FOLDER, provideStores, type Stores } from './stores.js';

const LOG_BYTES_MAX = 50 * 1024 * 1024;
const SOCKET_PATH_MAX = 100;
const READY_MS = 30_000;

/** The whole platform, running. */
export interface Platform {
  readonly url: string;
  readonly operatorKeyFile: string;
  /** A key that was shut opens nothing. */
  readonly operatorKeyState: 'stands' | 'shut';
  readonly logFile: string;
  stop(): Promise<void>;
}

/**
 * Starts everything: data folder, port, stores, schema, worker-runtime, services. What was started is stopped in
 * reverse order, also when a later step fails.
 */
export async function startPlatform(config: LocalConfig, environment: Environment): Promise<Platform> {
  await using stack = new AsyncDisposableStack();
  // The folder first: whoever starts twice hears that Wharf runs, not that some program has its port.
  const data = openDataFolder(config.dataDir);
  stack.defer(() => data.release());
  const door = new FrontDoor(config);
  await door.listen();
  stack.defer(() => closeServer(door.server, 0));
  const logFile = provideLogFile(data);
  const [stores, bubblewrap] = await Promise.all([provideStores(config, data, stack), findBubblewrap(CACHE_FOLDER)]);
  const masterKey = config.WHARF_MASTER_KEY ?? (await provideMasterKey(data, stores.databaseUrl));
  await migrateAll(stores.databaseUrl, masterKey, config.WHARF_DEDICATED_DATABASES);
  const operator = provideOperatorKey(data);
  const operatorKeyState = await provideOperator(stores.databaseUrl, masterKey, { source: 'local', key: operator.key });
  const shared = serviceEnvironment(config, environment, { stores, masterKey, data });
  const runtime = new RuntimeProcess(
    {
      ...bubblewrapEnvironment(bubblewrap),
      ...runtimeEnvironment(shared),
      WHARF_PORT: String(config.WHARF_RUNTIME_PORT),
    },
    logFile,
    createLogger('local', config.WHARF_LOG_LEVEL),
  );
  runtime.start();
  stack.defer(() => runtime.stop());
  const services = await startServices(shared, stack);
  door.open(services);
  await allReady(services, runtime, logFile);
  const running = stack.move();
  return {
    url: config.publicUrl,
    operatorKeyFile: operator.file,
    operatorKeyState,
    logFile,
    async stop() {
      await Promise.all([closeServer(door.server), services.gateway.drain?.()]);
      await running.disposeAsync();
    },
  };
}

function provideLogFile(data: DataFolder): string {
  const file = path.join(data.folder('logs'), 'wharf.log');
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > LOG_BYTES_MAX) renameSync(file, `${file}.1`);
  logToFile(file);
  return file;
}

function serviceEnvironment(
  config: LocalConfig,
  environment: Environment,
  { stores, masterKey, data }: { readonly stores: Stores; readonly masterKey: Secret; readonly data: DataFolder },
): Environment {
  return {
    ...environment,
    DATABASE_URL: stores.databaseUrl,
    REDIS_URL: stores.redisUrl,
    WHARF_PUBLIC_URL: config.publicUrl,
    // Our own key set is asked for on loopback, whatever name the world knows us by.
    WHARF_JWKS_URL: environment['WHARF_JWKS_URL'] ?? `http://127.0.0.1:${config.WHARF_PORT}/auth/jwks`,
    WHARF_MASTER_KEY: revealRing(masterKey),
    WHARF_INTAKE_KEY: (config.WHARF_INTAKE_KEY ?? provideIntakeKey(data)).reveal(),
    WHARF_RUNTIME_SOCKETS: runtimeSocket(data),
    WHARF_DATA_DIR: data.root,
    // On loopback all of this machine is one address, and every demo signs up two tenants.
    WHARF_SIGNUPS_PER_HOUR: environment['WHARF_SIGNUPS_PER_HOUR'] ?? (isLoopback(config) ? '1000' : undefined),
  };
}

function isLoopback({ WHARF_LISTEN_HOST: host }: LocalConfig): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

/** What the worker-runtime is given: no database, no Redis, no master key, no mail server, no object store. */
function runtimeEnvironment(shared: Environment): Environment {
  const {
    DATABASE_URL: _database,
    WHARF_DEDICATED_DATABASES: _dedicated,
    REDIS_URL: _redis,
    WHARF_MASTER_KEY: _master,
    WHARF_SMTP_URL: _smtp,
    WHARF_BLOBS_SECRET_ACCESS_KEY: _blobs,
    WHARF_KMS_SECRET_ACCESS_KEY: _kms,
    WHARF_KMS_SESSION_TOKEN: _session,
    WHARF_VAULT_TOKEN: _vault,
    ...rest
  } = shared;
  return rest;
}

/** Unix socket paths are short by law of the kernel; a deep data folder gets one in the temporary folder. */
function runtimeSocket(data: DataFolder): string {
  const near = path.join(data.folder('run'), 'runtime.sock');
  if (near.length <= SOCKET_PATH_MAX) return near;
  const folder = path.join(tmpdir(), `wharf-${createHash('sha256').update(data.root).digest('hex').slice(0, 16)}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o700 });
  return path.join(folder, 'runtime.sock');
}

async function allReady(services: Services, runtime: RuntimeProcess, logFile: string): Promise<void> {
  const until = Date.now() + READY_MS;
  for (;;) {
    const states = await Promise.all(
      Object.values(services).map(async (service) => [service.name, await service.readiness()] as const),
    );
    const waiting = states.filter(([, state]) => !state.ok);
    if (waiting.length === 0) return;
    if (runtime.ended) {
      throw new EmbeddedError(`The worker-runtime ended while it started; its reason is at the end of ${logFile}.`);
    }
    if (Date.now() > until) {
      throw new EmbeddedError(
        `Not every service became ready: ${waiting.map(describe).join('; ')}. More is at the end of ${logFile}.`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

function describe([name, state]: readonly [string, Readiness]): string {
  const failing = Object.entries(state.checks).filter(([, check]) => check !== 'ok');
  return `${name} (${failing.map(([check, sentence]) => `${check}: ${sentence}`).join(', ')})`;
}
