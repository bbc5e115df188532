import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { openDataFolder, startPostgres, type DataFolder, type EmbeddedServer } from '#libs/embedded';
import { Standby } from './standby.js';
import { TcpProxy } from '../network/tcp-proxy.js';

const STARTS_MAX = 20;

/** A durable PostgreSQL that may be killed; it comes back at the same address. */
export class KillablePostgres {
  #server: EmbeddedServer | undefined;

  private constructor(
    private data: DataFolder,
    server: EmbeddedServer,
    /** The link from every service to it. */
    readonly link: TcpProxy,
  ) {
    this.#server = server;
  }

  /** Keeps its data in that folder, which is its own. */
  static async start(folder: string): Promise<KillablePostgres> {
    const data = openDataFolder(folder);
    const server = await startPostgres(data, 'durable');
    return new KillablePostgres(data, server, await TcpProxy.open(portOf(server)));
  }

  /** As the owner of everything. */
  get url(): string {
    const url = new URL(this.#server?.url ?? '');
    url.port = String(this.link.port);
    return url.toString();
  }

  /** The same without the link between: for who looks on. */
  get ownUrl(): string {
    return this.#server?.url ?? '';
  }

  /** Ends all its processes at once and starts it again on what they left. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.#server?.stop();
    await this.startAgain();
  }

  /** Ends it in order, which ends its connections, and leaves it so. */
  async end(): Promise<void> {
    await this.#server?.stop();
  }

  /** Ends it in order and starts it again. */
  async restart(): Promise<void> {
    await this.end();
    await this.startAgain();
  }

  /**
   * Is killed with its machine: a standby that confirmed every commit takes its place, as a failover with synchronous
   * replication does, and the link leads there.
   */
  async failOver(): Promise<void> {
    const standby = await Standby.follow(this.ownUrl, this.data);
    this.signal('SIGKILL');
    await this.#server?.stop();
    this.data.release();
    [this.#server, this.data] = [await standby.promote(), standby.data];
    this.link.aim(portOf(this.#server));
  }

  /** Sends a signal to all its processes. */
  signal(signal: NodeJS.Signals): void {
    const { pid } = this;
    for (const each of [pid, ...childrenOf(pid)]) tell(each, signal);
  }

  /** The process that its others are children of; 0 where it has ended. */
  get pid(): number {
    const file = path.join(this.data.root, 'postgres', 'postmaster.pid');
    return existsSync(file) ? Number(readFileSync(file, 'utf8').split('\n')[0]) : 0;
  }

  /** Starts it on what it left. */
  async startAgain(): Promise<void> {
    const { url } = this;
    for (let tried = 1; ; tried += 1) {
      try {
        this.#server = await startPostgres(this.data, 'durable');
        this.link.aim(portOf(this.#server));
        return;
      } catch (error) {
        // The system still ends what was killed.
        if (tried === STARTS_MAX) throw new Error(`PostgreSQL at ${url} does not come back`, { cause: error });
      }
    }
  }

  /** Starts it where it has ended by itself. */
  async startAgainIfGone(): Promise<void> {
    if (this.pid !== 0 && existsSync(`/proc/${this.pid}`)) return;
    await this.#server?.stop();
    await this.startAgain();
  }

  async stop(): Promise<void> {
    await this.link.close();
    await this.#server?.stop();
    this.data.release();
  }
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text
    .split(' ')
    .filter((each) => each !== '')
    .map(Number);
}

function tell(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it has ended by itself
  }
}

function portOf({ url }: EmbeddedServer): number {
  return Number(new URL(url).port);
}
