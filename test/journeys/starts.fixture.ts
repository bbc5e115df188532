import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '#libs/embedded';
import { endOf, TEST_MASTER_KEY, untilAnswers } from '#libs/testing';

/** The services that have the database. */
export const SERVICES = ['auth-server', 'control-plane', 'gateway', 'background'] as const;

/** How a process that did not come up ended. */
export interface Refused {
  readonly code: number | null;
  readonly said: string;
}

/** One service that is to start on a database, and a Redis; no worker-runtime is there. */
export class Starting {
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'wharf-starts-'));

  constructor(
    private readonly name: (typeof SERVICES)[number],
    private readonly stores: { readonly databaseUrl: string; readonly redisUrl: string },
  ) {}

  /** Starts it, and waits for its end. */
  async refused(): Promise<Refused> {
    const child = this.#spawn(0);
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code, said };
  }

  /** Starts it, and waits until it answers; `ready` gives what `/readyz` says. */
  async started() {
    const port = await freePort();
    const child = this.#spawn(port);
    const origin = `http://127.0.0.1:${port}`;
    await untilAnswers(child, `${origin}/healthz`);
    return {
      ready: async () => {
        const answer = await fetch(`${origin}/readyz`);
        const text = await answer.text();
        return { status: answer.status, text };
      },
      stop: () => endOf(child),
    };
  }

  #spawn(port: number) {
    return spawn(process.execPath, ['--enable-source-maps', path.resolve(`dist/apps/${this.name}/src/main.js`)], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        PATH: process.env['PATH'] ?? '',
        NODE_ENV: 'test',
        WHARF_LOG_LEVEL: 'error',
        WHARF_PORT: String(port),
        DATABASE_URL: this.stores.databaseUrl,
        REDIS_URL: this.stores.redisUrl,
        WHARF_MASTER_KEY: TEST_MASTER_KEY.reveal(),
        WHARF_PUBLIC_URL: 'http://127.0.0.1:9',
        WHARF_DATA_DIR: this.#folder,
        ...(this.name === 'auth-server'
          ? {}
          : {
              WHARF_INTAKE_KEY: 'an intake key of 32 characters or more',
              WHARF_RUNTIME_SOCKETS: path.join(this.#folder, 'none'),
            }),
      },
    });
  }
}
