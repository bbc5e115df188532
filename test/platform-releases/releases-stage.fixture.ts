import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import { freePort } from '#libs/embedded';
import { bubblewrapOfTheRun, emptyDatabase, endOf, TEST_MASTER_KEY, testRedis, untilAnswers } from '#libs/testing';

/** How long a program may take that ends by itself. */
const PROGRAM_MS = 240_000;
const TELL_MS = 5;
const INTAKE_KEY = 'an intake key for tests of 32 characters and more';

/** A release of the platform: the folder that it was built in. */
export type Built = string;

/** A service in a process of its own. */
export interface Running {
  readonly port: number;
  stop(): Promise<void>;
}

/** A database and a Redis that several releases share, an operator's key, and a public URL. */
export class ReleasesStage {
  readonly operatorKey = `who_${randomBytes(32).toString('base64url')}`;
  readonly folder = mkdtempSync(path.join(tmpdir(), 'wharf-releases-'));
  #names = 0;

  private constructor(
    readonly databaseUrl: string,
    private readonly redisUrl: string,
    readonly port: number,
    private readonly drop: () => Promise<void>,
  ) {
    for (const name of ['demo', 'logs']) mkdirSync(path.join(this.folder, name));
    writeFileSync(path.join(this.folder, 'demo', 'operator.key'), this.operatorKey);
  }

  static async open(): Promise<ReleasesStage> {
    const [store, redis, port] = await Promise.all([emptyDatabase(), testRedis(), freePort()]);
    return new ReleasesStage(store.databaseUrl, redis.redisUrl, port, store.drop);
  }

  get url(): string {
    return `http://localhost:${this.port}`;
  }

  get #logs(): string {
    return path.join(this.folder, 'logs');
  }

  /** What every program is told. */
  get #environment(): Record<string, string> {
    return {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      NODE_ENV: 'test',
      DATABASE_URL: this.databaseUrl,
      REDIS_URL: this.redisUrl,
      WHARF_MASTER_KEY: TEST_MASTER_KEY.reveal(),
      WHARF_PUBLIC_URL: this.url,
      WHARF_LOG_LEVEL: 'warn',
      WHARF_SIGNUPS_PER_HOUR: '1000',
      WHARF_REGISTRATIONS_PER_HOUR: '1000',
      WHARF_LOGINS_PER_QUARTER_HOUR: '1000',
      WHARF_MANAGEMENT_CALLS_PER_MINUTE: '100000',
    };
  }

  /** Brings the database to a release's schema and gives it the operator; returns what the program said. */
  migrate(release: Built): Promise<string> {
    return this.#run(release, 'apps/local/src/migrate/main.js', { WHARF_OPERATOR_KEY: this.operatorKey });
  }

  /**
   * As `migrate`, while gateways are told all the time that everything has changed: each call reads its tenant's rows then,
   * between the locks of migrations.
   */
  async migrateUnderReaders(release: Built): Promise<void> {
    const teller = new Client({ connectionString: this.databaseUrl });
    await teller.connect();
    const migrated = new AbortController();
    const telling = (async () => {
      for (; !migrated.signal.aborted; await pause(TELL_MS)) await teller.query(`notify wharf_changes, '*'`);
      await teller.end();
    })();
    await this.migrate(release).finally(() => migrated.abort());
    await telling;
  }

  /** Takes the platform at the public URL through a release's demo; returns what it said. @throws Error where a step failed */
  async demo(release: Built): Promise<string> {
    const environment = { WHARF_DATA_DIR: path.join(this.folder, 'demo'), WHARF_PORT: String(this.port) };
    const said = await this.#run(release, 'apps/local/src/demo/main.js', environment);
    // A demo that was not answered within two seconds goes through a platform of its own, which proves nothing here.
    if (said.includes('starting a private one')) throw new Error(`The demo of ${release} did not find the platform.`);
    return said;
  }

  /** A new address for a worker-runtime. */
  newSocket(): string {
    return path.join(this.folder, `runtime-${(this.#names += 1)}.sock`);
  }

  /** Starts a service of a release and waits until it is alive. `sockets`: where the worker-runtimes listen; `more`: settings of its own. */
  async start(
    release: Built,
    name: string,
    sockets: readonly string[],
    more: Readonly<Record<string, string>> = {},
  ): Promise<Running> {
    const port = await freePort();
    const environment = {
      ...(name === 'worker-runtime' ? withoutStores(this.#environment) : this.#environment),
      ...bubblewrapOfTheRun(),
      WHARF_JWKS_URL: `${this.url}/auth/jwks`,
      WHARF_INTAKE_KEY: INTAKE_KEY,
      WHARF_RUNTIME_SOCKETS: sockets.join(','),
      WHARF_DATA_DIR: path.join(this.folder, `${name}-${(this.#names += 1)}`),
      WHARF_PORT: String(port),
      ...more,
    };
    const log = openSync(path.join(this.#logs, `${path.basename(release)}-${name}-${port}`), 'a');
    const child = spawn(process.execPath, [path.join(release, 'dist', 'apps', name, 'src', 'main.js')], {
      cwd: release,
      stdio: ['ignore', log, 'inherit'],
      env: environment,
    });
    closeSync(log);
    await untilAnswers(child, `http://127.0.0.1:${port}/healthz`);
    return { port, stop: () => endOf(child) };
  }

  /** Which of these answers to calls are failures; where some are, what services have warned of so far comes after them. */
  failuresAmong(answers: readonly string[]): string[] {
    const failed = answers.filter((answer) => answer !== 'ok');
    return failed.length === 0 ? [] : [...failed, ...this.#warnings()];
  }

  #warnings(): string[] {
    return readdirSync(this.#logs).flatMap((name) =>
      readFileSync(path.join(this.#logs, name), 'utf8')
        .split('\n')
        .flatMap((line) => (line === '' ? [] : [`${name}: ${line}`])),
    );
  }

  async close(): Promise<void> {
    await this.drop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #run(release: Built, program: string, more: Readonly<Record<string, string>>): Promise<string> {
    const child = spawn(process.execPath, [path.join(release, 'dist', program)], {
      cwd: release,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...this.#environment, ...more },
      timeout: PROGRAM_MS,
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const [code] = await once(child, 'close');
    if (code !== 0) throw new Error(`${program} of ${release} ended with ${String(code)}:\n${said}`);
    return said;
  }
}

function withoutStores({ DATABASE_URL: _, REDIS_URL: __, WHARF_MASTER_KEY: ___, ...rest }: Record<string, string>) {
  return rest;
}

/** The sum of a metric's series that a service shows. */
export async function metricOf({ port }: Running, series: RegExp): Promise<number> {
  const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const values = page.split('\n').flatMap((line) => (series.test(line) ? [Number(line.split(' ').at(-1))] : []));
  return values.reduce((sum, value) => sum + value, 0);
}
