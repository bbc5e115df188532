import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '#libs/embedded';
import { endOf } from '#libs/testing';

const START_AGAIN_MS = 250;
/** Machines of CI are shared, and eleven services start. */
const READY_MS = 180_000;
const READY_EVERY_MS = 100;
const OUTPUT_MAX = 20_000;
/** The last line that Node writes when an error has ended it. */
const CRASH = /^Node\.js v\d/m;

/** The kinds of service. */
export const KINDS = ['gateway', 'worker-runtime', 'control-plane', 'auth-server', 'background'] as const;

/** One of them. */
export type Kind = (typeof KINDS)[number];

/** One copy of a service: a process of its own, which may be killed, and is started again as a supervisor would. */
export class Replica {
  #child: ChildProcess | undefined;
  #output = '';
  readonly #crashes: string[] = [];

  private constructor(
    readonly kind: Kind,
    readonly port: number,
    private readonly environment: Readonly<Record<string, string>>,
  ) {}

  static async start(kind: Kind, environment: Readonly<Record<string, string>>): Promise<Replica> {
    const replica = new Replica(kind, await freePort(), environment);
    replica.#start();
    await replica.untilReady();
    return replica;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** What it said when an error that nothing caught ended it. */
  get crashes(): readonly string[] {
    return this.#crashes;
  }

  /** Kills it and starts it again. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
    this.#start();
  }

  /** Ends it in order and starts it again, with options of Node's for that start alone. */
  async restart(...options: readonly string[]): Promise<void> {
    await this.end('SIGTERM');
    this.#start(options);
    await this.untilReady();
  }

  /** Sends its process a signal. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Ends it, and leaves it so. */
  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    await endOf(child, signal);
  }

  /** Starts it after its end. */
  async startAgain(): Promise<void> {
    this.#start();
    await this.untilReady();
  }

  /** @throws Error with what it said, where it is not ready within some minutes */
  async untilReady(): Promise<void> {
    const url = `http://127.0.0.1:${this.port}/readyz`;
    const untilMs = performance.now() + READY_MS;
    for (;;) {
      const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch((error: unknown) => String(error));
      if (typeof answer !== 'string' && answer.ok) return;
      if (performance.now() > untilMs) {
        const told = typeof answer === 'string' ? answer : await answer.text();
        throw new Error(`${this.kind} is not ready (${told}); it said:\n${this.#output}`);
      }
      await pause(READY_EVERY_MS);
    }
  }

  #start(options: readonly string[] = []): void {
    const entry = path.resolve(`dist/apps/${this.kind}/src/main.js`);
    const child = spawn(process.execPath, ['--enable-source-maps', ...options, entry], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...this.environment, WHARF_PORT: String(this.port) },
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        said = `${said}${chunk.toString()}`.slice(-OUTPUT_MAX);
        this.#output = said;
      });
    }
    this.#child = child;
    child.once('close', () => {
      if (CRASH.test(said)) this.#crashes.push(`${this.kind}: ${said.slice(-2_000)}`);
      // It ended by itself, as when it starts while PostgreSQL is down.
      setTimeout(() => this.#child === child && this.#start(), START_AGAIN_MS);
    });
  }
}
