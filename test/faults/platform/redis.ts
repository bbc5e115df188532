import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { freePort, provideRedisBinary, type RedisBinary } from '#libs/embedded';
import { endOf } from '#libs/testing';
import { TcpProxy } from '../network/tcp-proxy.js';

const APPEND_ONLY_FOLDER = 'appendonlydir';

/**
 * A Redis that may be killed; it comes back at its address. What it knew comes back with it the first time, from its
 * append-only file, which is flushed each second; the next time it comes back empty, as one does that keeps nothing on
 * disk; and so on in turn. Both are what an installation can meet: nothing that must survive may be in Redis.
 */
export class KillableRedis {
  #child: ChildProcess | undefined;
  #deaths = 0;
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'wharf-faults-redis-'));

  private constructor(
    private readonly binary: RedisBinary,
    private readonly port: number,
    /** The link from every service to it. */
    readonly link: TcpProxy,
  ) {}

  static async start(): Promise<KillableRedis> {
    const port = await freePort();
    const redis = new KillableRedis(await provideRedisBinary(path.resolve('.cache')), port, await TcpProxy.open(port));
    await redis.#start();
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.link.port}/0`;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Sends it a signal. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Ends it at once and starts it again. */
  async kill(): Promise<void> {
    await this.#end();
    this.#deaths += 1;
    if (this.#deaths % 2 === 0) rmSync(path.join(this.#folder, APPEND_ONLY_FOLDER), { recursive: true, force: true });
    await this.#start();
  }

  /** Forgets everything. */
  async flush(): Promise<void> {
    const client = new Redis({ port: this.port });
    await client.flushall();
    client.disconnect();
  }

  /** Ends it, and leaves it so. */
  async end(): Promise<void> {
    await this.#end();
  }

  /** Starts it after its end, with what it knew. */
  async startAgain(): Promise<void> {
    await this.#start();
  }

  async stop(): Promise<void> {
    await this.link.close();
    await this.#end();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const { program, libraries } = this.binary;
    const options = { bind: '127.0.0.1', port: this.port, dir: this.#folder, save: '', appendonly: 'yes' };
    const child = spawn(
      program,
      Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
      { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, LD_LIBRARY_PATH: libraries.join(':') } },
    );
    this.#child = child;
    let said = '';
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.includes('eady to accept connections')) break;
      said += `${line}\n`;
    }
    if (child.exitCode !== null) throw new Error(`Redis does not come up:\n${said}`);
    child.stdout.resume();
  }

  #end(): Promise<void> {
    return endOf(this.#child, 'SIGKILL');
  }
}
