import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { parseRuntimeAddress, writeRuntimeAddress, type RuntimeAddress } from './runtime-address.js';
import type { RuntimeClientOptions, ResolveHost } from './runtime-client-options.js';
import { RuntimeConnection } from './runtime-connection.js';

const resolveByDns: ResolveHost = async (host) => (await lookup(host, { all: true })).map(({ address }) => address);

/** Whether a name server says that there is no such name, and not that it cannot say. */
function isNotKnown(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOTFOUND';
}

/**
 * What a name that is not known stands for: `kept`, what it stood for before, for a name server may have lost it for a
 * moment; `empty`, nothing any more, for whoever it named may be gone for good.
 */
export type Unknown = 'kept' | 'empty';

/**
 * Connections to runtimes: one to each address that is configured, or that a configured name stands for
 * now. A runtime whose address is gone is given nothing new, and its connection ends with itself: names forget runtimes
 * that live, as Kubernetes does after failed probes, and their sessions are nowhere else.
 */
export class RuntimeGroup {
  readonly #options: RuntimeClientOptions;
  readonly #resolve: ResolveHost;
  readonly #named: ReadonlyArray<Extract<RuntimeAddress, { kind: 'tls' }>>;
  readonly #fixed: readonly RuntimeConnection[];
  readonly #found = new Map<string, RuntimeConnection>();
  readonly #leaving = new Set<RuntimeConnection>();

  constructor(
    sockets: readonly string[],
    options: RuntimeClientOptions,
    private readonly unknown: Unknown,
  ) {
    this.#options = options;
    this.#resolve = options.resolve ?? resolveByDns;
    const addresses = sockets.map(parseRuntimeAddress);
    this.#named = addresses.flatMap((address) => (address.kind === 'tls' && isIP(address.host) === 0 ? [address] : []));
    this.#fixed = addresses
      .filter((address) => address.kind === 'socket' || isIP(address.host) !== 0)
      .map((address) => new RuntimeConnection(address, options));
  }

  /** Whether any of the runtimes stand behind a name, which is to be looked up again. */
  get hasNames(): boolean {
    return this.#named.length > 0;
  }

  /** Those that have not left. */
  get present(): readonly RuntimeConnection[] {
    return [...this.#fixed, ...this.#found.values()];
  }

  /** All of them, also those that are leaving. */
  get all(): readonly RuntimeConnection[] {
    return [...this.present, ...this.#leaving];
  }

  /** Looks up the names again; one about which nobody can be asked now keeps the runtimes it had. */
  async look(): Promise<void> {
    await Promise.all(this.#named.map((address) => this.#lookAt(address)));
    for (const connection of this.#leaving) if (!connection.ready && connection.open === 0) this.#drop(connection);
  }

  async #lookAt(named: Extract<RuntimeAddress, { kind: 'tls' }>): Promise<void> {
    const hosts = await this.#resolve(named.host).catch((error: unknown) => (isNotKnown(error) ? [] : undefined));
    if (hosts === undefined || (hosts.length === 0 && this.unknown === 'kept')) return;
    const key = (host: string): string => `${named.host}:${named.port} ${host}`;
    for (const host of hosts) {
      if (this.#found.has(key(host))) continue;
      const address = { ...named, host };
      this.#found.set(key(host), this.#returned(address) ?? new RuntimeConnection(address, this.#options));
    }
    const now = new Set(hosts.map(key));
    for (const [place, connection] of this.#found) {
      if (!place.startsWith(`${named.host}:${named.port} `) || now.has(place)) continue;
      this.#found.delete(place);
      this.#leaving.add(connection);
    }
  }

  /** One that left and is back keeps its connection; one that does not answer any more may be another by now. */
  #returned(address: RuntimeAddress): RuntimeConnection | undefined {
    const name = writeRuntimeAddress(address);
    const returned = [...this.#leaving].find((connection) => connection.name === name && connection.ready);
    if (returned !== undefined) this.#leaving.delete(returned);
    return returned;
  }

  #drop(connection: RuntimeConnection): void {
    this.#leaving.delete(connection);
    connection.close();
  }
}
