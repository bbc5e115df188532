import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '#libs/embedded';
import { TEST_MASTER_KEY } from './environment.js';
import { testDatabase } from './test-database.js';
import { testRedis } from './test-redis.js';

const ENTRY = path.resolve('dist/apps/local/src/main.js');
const START_MS = 40_000;

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
  const child = spawn(process.execPath, ['--enable-source-maps', ENTRY], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      NODE_ENV: 'test',
      DATABASE_URL: database.databaseUrl,
      REDIS_URL: redis.redisUrl,
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
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const log = (): string => `${output}${readLog(dataDir)}`;
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await exited;
    }
    rmSync(dataDir, { recursive: true, force: true });
    await database.drop();
  };
  try {
    await untilReady(child, log);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: `http://localhost:${port}`,
    operatorKey: readFileSync(path.join(dataDir, 'operator.key'), 'utf8').trim(),
    databaseUrl: database.databaseUrl,
    dataDir,
    pid: child.pid ?? 0,
    logs: log,
    stop,
  };
}

function readLog(dataDir: string): string {
  try {
    return readFileSync(path.join(dataDir, 'logs', 'wharf.log'), 'utf8');
  } catch {
    return '';
  }
}
