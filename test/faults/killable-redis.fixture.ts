import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { openDataFolder, startRedis, type DataFolder, type EmbeddedServer } from '#libs/embedded';
import { Redis } from 'ioredis';

const BACK_MS = 20_000;
const TRY_MS = 50;

/** A Redis that keeps nothing and may be killed; it comes back empty at the same address. */
export class KillableRedis {
  #again: ChildProcess | undefined;

  private constructor(
    private readonly data: DataFolder,
    private readonly server: EmbeddedServer,
    private readonly pid: number,
    private readonly program: readonly string[],
    private readonly environment: Readonly<Record<string, string>>,
  ) {}

  static async start(): Promise<KillableRedis> {
    const data = openDataFolder(mkdtempSync(path.join(tmpdir(), 'wharf-faults-redis-')));
    const server = await startRedis(data, path.resolve('.cache'), 'disposable');
    const pid = Number(readFileSync(path.join(data.root, 'redis.pid'), 'utf8'));
    // What it was started with, so that it can be again: its port and password stand in its configuration.
    const listOf = (file: string): string[] => readFileSync(`/proc/${pid}/${file}`, 'utf8').split('\0').filter(Boolean);
    const environment = Object.fromEntries(
      listOf('environ').map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
    );
    const configuration = path.join(data.folder('redis'), 'redis.conf');
    return new KillableRedis(data, server, pid, [readlinkSync(`/proc/${pid}/exe`), configuration], environment);
  }

  get url(): string {
    return this.server.url;
  }

  /** Kills it, and starts another in its place. */
  async kill(): Promise<void> {
    this.#end();
    const [program = '', ...args] = this.program;
    for (const until = Date.now() + BACK_MS; ;) {
      const child = spawn(program, args, { stdio: 'ignore', env: this.environment });
      this.#again = child;
      while (child.exitCode === null && child.signalCode === null) {
        if (await this.#answers()) return;
        await wait(TRY_MS);
      }
      // The port is not free at once.
      if (Date.now() > until) throw new Error('Redis does not come back');
      await wait(TRY_MS);
    }
  }

  async stop(): Promise<void> {
    this.#end();
    await this.server.stop();
    rmSync(this.data.root, { recursive: true, force: true });
  }

  #end(): void {
    const pid = this.#again?.pid ?? this.pid;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It is gone already.
    }
  }

  async #answers(): Promise<boolean> {
    const redis = new Redis(this.url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
    redis.on('error', () => undefined);
    try {
      await redis.connect();
      return (await redis.ping()) === 'PONG';
    } catch {
      return false;
    } finally {
      redis.disconnect();
    }
  }
}
