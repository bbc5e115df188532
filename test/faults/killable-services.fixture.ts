import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { freePort } from '#libs/embedded';
import { endOf, until } from '#libs/testing';

const START_AGAIN_MS = 250;
/** The last line that Node writes when an error has ended it. */
const CRASH = /^Node\.js v\d/m;

/** The services that are killed. */
export const SERVICES = ['worker-runtime', 'gateway', 'background', 'control-plane', 'auth-server'] as const;

/** One of them. */
export type ServiceName = (typeof SERVICES)[number];

/** Services as processes of their own, each of which may be killed and comes back at its port. */
export class KillableServices {
  readonly #running = new Map<ServiceName, ChildProcess>();
  readonly #ports = new Map<ServiceName, number>();
  readonly #crashes: string[] = [];
  #output = '';

  private constructor(private readonly environment: Readonly<Record<string, string>>) {}

  /** Starts all of them and waits until they are ready. `gatewayPort` is in the public URL. */
  static async start(environment: Readonly<Record<string, string>>, gatewayPort: number): Promise<KillableServices> {
    const services = new KillableServices(environment);
    for (const name of SERVICES) {
      services.#ports.set(name, name === 'gateway' ? gatewayPort : await freePort());
      services.#start(name);
    }
    for (const name of SERVICES) if (name !== 'worker-runtime') await services.untilReady(name);
    return services;
  }

  /** Everything they have said. */
  get output(): string {
    return this.#output;
  }

  /** What those said that ended by an error which nothing caught. */
  get crashes(): readonly string[] {
    return this.#crashes;
  }

  /** Kills one and starts it again. */
  async kill(name: ServiceName): Promise<void> {
    await this.#end(name, 'SIGKILL');
    this.#start(name);
  }

  /** Lets one finish what it has in hand and end. */
  async finish(name: ServiceName): Promise<void> {
    await this.#end(name, 'SIGTERM');
  }

  /** Starts one that has ended. */
  async startAgain(name: ServiceName): Promise<void> {
    this.#start(name);
    await this.untilReady(name);
  }

  async untilReady(name: ServiceName): Promise<void> {
    const url = `http://127.0.0.1:${this.#ports.get(name)}/readyz`;
    const ready = async () => (await fetch(url).catch(() => undefined))?.ok === true;
    await until(ready, `${name} is ready:\n${this.#output.slice(-4_000)}`);
  }

  async stop(): Promise<void> {
    for (const name of this.#running.keys()) await this.#end(name, 'SIGKILL');
  }

  #start(name: ServiceName): void {
    const child = spawn(process.execPath, ['--enable-source-maps', path.resolve(`dist/apps/${name}/src/main.js`)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...(name === 'worker-runtime' ? runtimeOnly(this.environment) : this.environment),
        WHARF_PORT: String(this.#ports.get(name)),
      },
    });
    const hear = (chunk: Buffer): void => {
      this.#output = `${this.#output}${chunk.toString()}`.slice(-100_000);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    this.#running.set(name, child);
    this.#supervise(name, child);
  }

  /** Starts one again that ends by itself, as when it starts while PostgreSQL is down. */
  #supervise(name: ServiceName, child: ChildProcess): void {
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      said = `${said}${chunk.toString()}`.slice(-2_000);
    });
    child.once('close', () => {
      if (CRASH.test(said)) this.#crashes.push(`${name}: ${said}`);
      if (this.#running.get(name) === child)
        setTimeout(() => this.#running.get(name) === child && this.#start(name), START_AGAIN_MS);
    });
  }

  async #end(name: ServiceName, signal: NodeJS.Signals): Promise<void> {
    const child = this.#running.get(name);
    this.#running.delete(name);
    await endOf(child, signal);
  }
}

function runtimeOnly({
  DATABASE_URL: _database,
  REDIS_URL: _redis,
  WHARF_MASTER_KEY: _key,
  ...rest
}: Readonly<Record<string, string>>): Record<string, string> {
  return rest;
}
