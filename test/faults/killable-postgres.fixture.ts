import { readFileSync, rmSync, mkdtempSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openDataFolder, startPostgres, type DataFolder, type EmbeddedServer } from '#libs/embedded';

const STARTS_MAX = 20;

/** A durable PostgreSQL that may be killed; it comes back at the same address. */
export class KillablePostgres {
  #server: EmbeddedServer | undefined;
  readonly #front: Server;

  private constructor(
    private readonly data: DataFolder,
    server: EmbeddedServer,
  ) {
    this.#server = server;
    this.#front = createServer((client) => {
      const { port } = new URL(this.#server?.url ?? 'http://localhost:1');
      const behind = connect(Number(port), '127.0.0.1');
      client.pipe(behind).pipe(client);
      client.on('error', () => behind.destroy()).on('close', () => behind.destroy());
      behind.on('error', () => client.destroy()).on('close', () => client.destroy());
    });
  }

  static async start(): Promise<KillablePostgres> {
    const data = openDataFolder(mkdtempSync(path.join(tmpdir(), 'wharf-faults-')));
    const postgres = new KillablePostgres(data, await startPostgres(data, 'durable'));
    await new Promise<void>((resolve) => postgres.#front.listen(0, '127.0.0.1', resolve));
    return postgres;
  }

  /** As the owner of everything. */
  get url(): string {
    const url = new URL(this.#server?.url ?? '');
    url.port = String((this.#front.address() as AddressInfo).port); // a TCP server's address
    return url.toString();
  }

  /** Ends all its processes at once and starts it again on what they left. */
  async kill(): Promise<void> {
    const file = path.join(this.data.root, 'postgres', 'postmaster.pid');
    const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
    for (const each of [pid, ...childrenOf(pid)]) kill(each);
    await this.#server?.stop();
    const { url } = this;
    for (let tried = 1; ; tried += 1) {
      try {
        this.#server = await startPostgres(this.data, 'durable');
        return;
      } catch (error) {
        // The system still ends what was killed.
        if (tried === STARTS_MAX) throw new Error(`PostgreSQL at ${url} does not come back`, { cause: error });
      }
    }
  }

  async stop(): Promise<void> {
    this.#front.close();
    await this.#server?.stop();
    this.data.release();
    rmSync(this.data.root, { recursive: true, force: true });
  }
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text
    .split(' ')
    .filter((each) => each !== '')
    .map(Number);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended by itself
  }
}
