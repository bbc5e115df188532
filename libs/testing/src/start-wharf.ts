import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '#libs/embedded';
import { endOf } from './end-of.js';
import { TEST_MASTER_KEY } from './environment.js';
import { testDatabase } from './test-database.js';
import { testRedis } from './test-redis.js';

const ENTRY = path.resolve('dist/apps/local/src/main.js');
const START_MS = 120_000;

/** The platform as processes of its own, on a database and a Redis of its own. */
export interface Wharf {
  readonly url: string;
  readonly operatorKey: string;
  /** As the owner of the schema. */
  readonly databaseUrl: string;
  readonly dataDir: string;
  readonly pid: number;
  /** Everything it has logged. */
  logs(): string;
  /** Ends it with a signal (`SIGKILL`: as a crash would) and starts it again at the same place. */
  restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Empties its Redis. */
  flushRedis(): Promise<void>;
  stop(): Promise<void>;
}

/** What differs from the defaults. */
export interface WharfOptions {
  /** Added to its environment. */
  readonly environment?: Readonly<Record<string, string>>;
}

async function untilReady(child: ChildProcess, output: () => string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`Wharf was not ready in time:\n${output()}`)), START_MS);
      child.once('message', () => resolve());
      child.once('exit', (code) => reject(new Error(`Wharf ended with ${code}:\n${output()}`)));
    });
  } finally {
    clearTimeout(timer);
  }
}

/** Starts the compiled platform and waits until it is ready. */
export async function startWharf(options: WharfOptions = {}): Promise<Wharf> {
  const [database, redis, port] = await Promise.all([testDatabase(), testRedis(), freePort()]);
  const dataDir = mkdtempSync(path.join(tmpdir(), 'wharf-'));
  let output = '';
  const log = (): string => `${output}${readLog(dataDir)}`;
  let child: ChildProcess | undefined;
  const launch = async (): Promise<void> => {
    child = spawnWharf({ databaseUrl: database.databaseUrl, redisUrl: redis.redisUrl, port, dataDir }, options);
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await untilReady(child, log);
  };
  const stop = async (): Promise<void> => {
    await endOf(child, 'SIGTERM');
    rmSync(dataDir, { recursive: true, force: true });
    await database.drop();
  };
  try {
    await launch();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: `http://localhost:${port}`,
    operatorKey: readFileSync(path.join(dataDir, 'operator.key'), 'utf8').trim(),
    databaseUrl: database.databaseUrl,
    dataDir,
    get pid() {
      return child?.pid ?? 0;
    },
    logs: log,
    async restart(signal) {
      await endOf(child, signal);
      await launch();
    },
    flushRedis: () => redis.flush(),
    stop,
  };
}

interface Place {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly port: number;
  readonly dataDir: string;
}

function spawnWharf({ databaseUrl, redisUrl, port, dataDir }: Place, options: WharfOptions): ChildProcess {
  return spawn(process.execPath, ['--enable-source-maps', ENTRY], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      NODE_ENV: 'test',
      DATABASE_URL: databaseUrl,
      REDIS_URL: redisUrl,
      WHARF_MASTER_KEY: TEST_MASTER_KEY.reveal(),
      WHARF_PORT: String(port),
      WHARF_DATA_DIR: dataDir,
      WHARF_SIGNUPS_PER_HOUR: '1000',
      WHARF_MANAGEMENT_CALLS_PER_MINUTE: '100000',
      WHARF_REFUSED_CREDENTIALS_PER_MINUTE: '1000',
      WHARF_REGISTRATIONS_PER_HOUR: '1000',
      WHARF_LOGINS_PER_QUARTER_HOUR: '1000',
      ...options.environment,
    },
  });
}

function readLog(dataDir: string): string {
  try {
    return readFileSync(path.join(dataDir, 'logs', 'wharf.log'), 'utf8');
  } catch {
    return '';
  }
}
