import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { Redis } from 'ioredis';
import { freePort, openDataFolder, startRedis } from '#libs/embedded';
import { bubblewrapOfTheRun, endOf, until, untilAnswers } from '#libs/testing';

/** What can be killed without warning and started again. */
export interface Mortal {
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** A service that can be. */
export interface Killable extends Mortal {
  readonly port: number;
}

/** Starts one compiled service in a process of its own and waits until it is ready. */
export async function startService(name: string, environment: Readonly<Record<string, string>>): Promise<Killable> {
  const port = await freePort();
  const entry = path.resolve(`dist/apps/${name}/src/main.js`);
  let child: ChildProcess | undefined;
  const service: Killable = {
    port,
    async start() {
      child = spawn(process.execPath, ['--enable-source-maps', entry], {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: {
          PATH: process.env['PATH'] ?? '',
          NODE_ENV: 'test',
          WHARF_LOG_LEVEL: 'error',
          ...bubblewrapOfTheRun(),
          ...environment,
          WHARF_PORT: String(port),
        },
      });
      await untilAnswers(child, `http://127.0.0.1:${port}/readyz`);
    },
    kill: () => endOf(child, 'SIGKILL'),
  };
  await service.start();
  return service;
}

/** A Redis of one's own that can be killed, and comes back empty at the same address. */
export class KillableRedis {
  private constructor(
    readonly url: string,
    private readonly pidFile: string,
    private readonly again: () => void,
  ) {}

  static async open(folder: string): Promise<KillableRedis> {
    const data = openDataFolder(path.join(folder, 'stores'));
    const { url } = await startRedis(data, path.resolve('.cache'), 'disposable');
    const pidFile = path.join(data.root, 'redis.pid');
    const pid = Number(readFileSync(pidFile, 'utf8'));
    const program = readlinkSync(`/proc/${pid}/exe`);
    // Redis writes its title over its environment, so what it was linked with is read from its memory's map.
    const maps = readFileSync(`/proc/${pid}/maps`, 'utf8');
    const libraries = [...new Set([...maps.matchAll(/(\/\S+)\/[^/\s]+\.so/g)].map(([, at]) => at))].join(':');
    const again = (): void => {
      // One program serves and checks files, by the name it is called by.
      spawn(program, [path.join(data.root, 'redis', 'redis.conf')], {
        argv0: 'redis-server',
        stdio: 'ignore',
        env: { PATH: '/usr/bin:/bin', LD_LIBRARY_PATH: libraries },
      });
    };
    return new KillableRedis(url, pidFile, again);
  }

  async kill(): Promise<void> {
    const pid = Number(readFileSync(this.pidFile, 'utf8'));
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      return; // gone already
    }
    // Its address is free again when it is gone.
    await until(() => !existsSync(`/proc/${pid}`), `the end of Redis, ${pid}`);
  }

  async start(): Promise<void> {
    this.again();
    const redis = new Redis(this.url, { retryStrategy: () => 50, maxRetriesPerRequest: null });
    redis.on('error', () => undefined);
    await redis.ping();
    redis.disconnect();
  }
}
