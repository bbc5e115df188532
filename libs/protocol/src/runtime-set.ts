import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { parseRuntimeAddress, writeRuntimeAddress, type RuntimeAddress } from './runtime-address.js';
import type { RuntimeClientOptions, ResolveHost } from './runtime-client-options.js';
import { RuntimeConnection } from './runtime-connection.js';

const LOOK_EVERY_MS = 5_000;

const resolveByDns: ResolveHost = async (host) => (await lookup(host, { all: true })).map(({ address }) => address);

/**
 * Connections to the runtimes there are: one to each address that is configured, or that a configured name stands for
 * now. A runtime whose address is gone is given nothing new, and its connection ends with itself: names forget runtimes
 * that live, as Kubernetes does after failed probes, and their sessions are nowhere else.
 */
export class RuntimeSet {
  readonly #options: RuntimeClientOptions;
  readonly #resolve: ResolveHost;
  readonly #named: ReadonlyArray<Extract<RuntimeAddress, { kind: 'tls' }>>;
  readonly #fixed: readonly RuntimeConnection[];
  readonly #found = new Map<string, RuntimeConnection>();
  readonly #leaving = new Set<RuntimeConnection>();
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(options: RuntimeClientOptions) {
    this.#options = options;
    this.#resolve = options.resolve ?? resolveByDns;
    const addresses = options.sockets.map(parseRuntimeAddress);
    this.#named = addresses.flatMap((address) => (address.kind === 'tls' && isIP(address.host) === 0 ? [address] : []));
    this.#fixed = addresses
      .filter((address) => address.kind === 'socket' || isIP(address.host) !== 0)
      .map((address) => new RuntimeConnection(address, options));
    if (this.#named.length > 0) this.#timer = setInterval(() => void this.look(), LOOK_EVERY_MS).unref();
  }

  /** Those that may be given something new: those that are drained only where there are no others. */
  get taking(): readonly RuntimeConnection[] {
    const taking = this.ready.filter(({ draining }) => !draining);
    return taking.length > 0 ? taking : this.ready;
  }

  /** Those that can be called and have not left. */
  get ready(): readonly RuntimeConnection[] {
    return [...this.#fixed, ...this.#found.values()].filter((connection) => connection.ready);
  }

  /** Those that can be called for what they hold already, such as a session: also those that are leaving. */
  get holding(): readonly RuntimeConnection[] {
    return this.all.filter((connection) => connection.ready);
  }

  /** All of them, also those that are leaving. */
  get all(): readonly RuntimeConnection[] {
    return [...this.#fixed, ...this.#found.values(), ...this.#leaving];
  }

  /** Resolves when every runtime that is known has said hello. */
  async untilReady(): Promise<void> {
    await this.look();
    await Promise.all([...this.#fixed, ...this.#found.values()].map((connection) => connection.untilReady()));
  }

  /** Looks up the names again; one that cannot be resolved now keeps the runtimes it had. */
  async look(): Promise<void> {
    await Promise.all(this.#named.map((address) => this.#lookAt(address)));
    for (const connection of this.#leaving) if (!connection.ready && connection.open === 0) this.#drop(connection);
  }

  /** Closes every connection. */
  close(): void {
    clearInterval(this.#timer);
    for (const connection of this.all) connection.close();
  }

  async #lookAt(named: Extract<RuntimeAddress, { kind: 'tls' }>): Promise<void> {
    const hosts = await this.#resolve(named.host).catch(() => undefined);
    if (hosts === undefined || hosts.length === 0) return;
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
