import { promises as dns } from 'node:dns';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import { LRUCache } from 'lru-cache';
import { Agent, buildConnector } from 'undici';
import { areReachable, normalHost, type PrivateAccess } from './address-guard.js';
import { connectFailureOf, UpstreamFailure } from './upstream-failure.js';

/** All addresses of a host name. */
export type Resolve = (hostname: string) => Promise<readonly string[]>;

const AGENTS_MAX = 500;
/** Streams that are listened to keep their connections, and no request waits for one of those. */
const CONNECTIONS_PER_ORIGIN = { asking: 32, listening: 256 } as const;
const CONNECT_MS = 10_000;
const KEEP_ALIVE_MS = 4_000;
const RESPONSE_HEADERS_BYTES_MAX = 64 * 1024;

/**
 * Opens connections to upstreams: a name is resolved once, every address it has is checked, and the connection goes
 * to a checked address. Connections are kept for one tenant and one set of allowances and never shared with another.
 */
export class Dialer {
  readonly #resolve: Resolve;
  readonly #agents = new LRUCache<string, Agent>({ max: AGENTS_MAX, dispose: (agent) => void agent.close() });
  readonly #opened = new WeakMap<PrivateAccess, string>();

  constructor(resolve: Resolve = resolveHost) {
    this.#resolve = resolve;
  }

  /** The connections of a tenant that may reach these private hosts and ranges. */
  agentFor(tenantId: string, access: PrivateAccess, use: keyof typeof CONNECTIONS_PER_ORIGIN = 'asking'): Agent {
    const key = `${JSON.stringify([tenantId]).slice(0, -1)},${use} ${this.#openedBy(access)}`;
    const known = this.#agents.get(key);
    if (known !== undefined) return known;
    const agent = new Agent({
      connect: this.#connector(access),
      connections: CONNECTIONS_PER_ORIGIN[use],
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS * 15,
      maxHeaderSize: RESPONSE_HEADERS_BYTES_MAX,
      pipelining: 1,
      allowH2: false,
    });
    this.#agents.set(key, agent);
    return agent;
  }

  /** What an access opens, as text; worked out once for each. */
  #openedBy(access: PrivateAccess): string {
    const known = this.#opened.get(access);
    if (known !== undefined) return known;
    const { allowances, ranges = [], onlyHosts = null } = access;
    const opened = JSON.stringify([
      onlyHosts,
      ...allowances.map(({ host, port }) => [host, port]),
      ...ranges.map(({ range, port }) => [range, port]),
    ]);
    this.#opened.set(access, opened);
    return opened;
  }

  /** Closes the connections of one tenant. */
  forget(tenantId: string): void {
    const prefix = `${JSON.stringify([tenantId]).slice(0, -1)},`;
    const own = [...this.#agents.keys()].filter((key) => key.startsWith(prefix));
    for (const key of own) this.#agents.delete(key);
  }

  async close(): Promise<void> {
    const agents = [...this.#agents.values()];
    this.#agents.clear();
    await Promise.allSettled(agents.map((agent) => agent.destroy()));
  }

  /** Opens a plain connection that carries what its user likes. @throws UpstreamFailure blocked, connect */
  async open(host: string, port: number, access: PrivateAccess): Promise<Socket> {
    const connect = this.#connector(access);
    return new Promise((resolve, reject) => {
      connect({ hostname: host, port: String(port), protocol: 'http:', host }, (error, socket) => {
        if (socket === null) reject(error);
        else resolve(socket);
      });
    });
  }

  #connector(access: PrivateAccess): buildConnector.connector {
    return (options, callback) => {
      const host = normalHost(options.hostname);
      const port = Number(options.port) || (options.protocol === 'https:' ? 443 : 80);
      this.#checkedAddresses(host, port, access).then(
        (addresses) =>
          connectTo(addresses)(options, (error, socket) => {
            if (error !== null) callback(connectFailureOf(error), null);
            else callback(null, socket);
          }),
        (error: unknown) => callback(connectFailureOf(error), null),
      );
    };
  }

  async #checkedAddresses(host: string, port: number, access: PrivateAccess): Promise<readonly string[]> {
    if (access.onlyHosts?.includes(host) === false) {
      throw new UpstreamFailure('blocked', `${host} is none of the hosts that this environment may reach`);
    }
    const named = access.allowances.some((allowance) => normalHost(allowance.host) === host);
    const addresses = isIP(host) !== 0 ? [host] : await (named ? resolveLocally(host) : this.#resolve(host));
    if (addresses.length === 0) throw new UpstreamFailure('connect', 'its name does not resolve');
    if (!areReachable(host, port, addresses, access)) {
      throw new UpstreamFailure('blocked', `${host} port ${port} is not on the public internet`);
    }
    return addresses;
  }
}

/** A connector that goes to these addresses whatever the name says now; name and TLS server name stay the URL's. */
function connectTo(addresses: readonly string[]): buildConnector.connector {
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  const [first] = found;
  const lookup: LookupFunction = (_hostname, options, callback) => {
    if (options.all === true) callback(null, found);
    else callback(null, first?.address ?? '', first?.family);
  };
  return buildConnector({
    timeout: CONNECT_MS,
    allowH2: false,
    maxCachedSessions: 0,
    autoSelectFamily: true,
    lookup,
    // Said outright, so that no environment variable can turn verification off.
    rejectUnauthorized: true,
  });
}

/** Public names by DNS alone: no hosts file, no search domains, no thread of the pool. */
async function resolveHost(hostname: string): Promise<readonly string[]> {
  const resolver = new dns.Resolver({ timeout: 2_000, tries: 2 });
  const [four, six] = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
  const found = [four, six].flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
  if (found.length === 0 && four.status === 'rejected') throw four.reason;
  return found;
}

/** Names that an operator allowed may be this network's own. */
async function resolveLocally(hostname: string): Promise<readonly string[]> {
  return (await dns.lookup(hostname, { all: true })).map(({ address }) => address);
}
