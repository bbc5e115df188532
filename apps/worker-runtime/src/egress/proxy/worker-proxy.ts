import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { EgressContext } from '#libs/protocol';
import { ServerError, type Breakers } from '../breakers.js';
import type { Dialer } from '../dialer.js';
import type { EgressPolicy } from '../egress-policy.js';
import { UpstreamFailure, upstreamFailureOf } from '../upstream-failure.js';
import { forward } from './forward.js';
import { ProxyExchange } from './proxy-exchange.js';
import type { ProxyTraffic } from './proxy-traffic.js';
import { refusalText, refusalOf, type Refusal } from './refusal.js';
import { tunnelTarget } from './tunnel-target.js';
import { tunnel } from './tunnel.js';

/** What one worker's proxy may do; sizes in bytes count both ways together. */
export interface ProxyLimits {
  readonly exchangesMax: number;
  readonly bytesMax: number;
  readonly idleMs: number;
  readonly totalMs: number;
}

/** Whose proxy it is and where it listens. */
export interface WorkerProxyOptions {
  /** Path of its unix socket; the folder exists and only this account may enter it. */
  readonly socketPath: string;
  readonly tenantId: string;
  /** The release that the worker runs. */
  readonly policy: EgressPolicy;
  /** What egress may do for the tenant now; asked for each request. */
  readonly context: () => EgressContext;
  readonly limits?: Partial<ProxyLimits>;
}

/** What proxies go out through, and where they are counted. */
export interface ProxyWays {
  readonly dialer: Dialer;
  readonly breakers: Breakers;
  readonly traffic: ProxyTraffic;
}

const LIMITS: ProxyLimits = {
  exchangesMax: 64,
  bytesMax: 256 * 1024 * 1024,
  idleMs: 60_000,
  totalMs: 10 * 60_000,
};
const CONNECTIONS_MAX = 256;
const HEADERS_BYTES_MAX = 32 * 1024;

/**
 * An HTTP proxy (RFC 9110, 9.3.6: CONNECT; RFC 9112, 3.2.2: absolute form) for the code of one worker. The release's
 * origins, the address guard and the breakers are those of every other request; credentials are the code's own affair.
 */
export class WorkerProxy {
  readonly #ways: ProxyWays;
  readonly #options: WorkerProxyOptions;
  readonly #limits: ProxyLimits;
  readonly #server: Server;
  readonly #open = new Set<ProxyExchange>();

  private constructor(ways: ProxyWays, options: WorkerProxyOptions) {
    this.#ways = ways;
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#server = createServer({ maxHeaderSize: HEADERS_BYTES_MAX }, (request, response) =>
      this.#forward(request, response),
    );
    this.#server.maxConnections = CONNECTIONS_MAX;
    this.#server.on('connect', (request, socket, head) => this.#tunnel(request, socket, head));
  }

  /** Listens on its socket, which only this account may open. */
  static async listen(ways: ProxyWays, options: WorkerProxyOptions): Promise<WorkerProxy> {
    const proxy = new WorkerProxy(ways, options);
    await proxy.#listen();
    return proxy;
  }

  get socketPath(): string {
    return this.#options.socketPath;
  }

  /** Ends every connection and removes the socket. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const exchange of this.#open) exchange.end();
    this.#server.closeAllConnections();
    await closed;
  }

  #listen(): Promise<void> {
    // The mask makes the socket ours alone from its first moment; a chmod afterwards would leave a gap.
    const mask = process.umask(0o177);
    try {
      return new Promise((resolve, reject) => {
        this.#server.once('error', reject);
        this.#server.listen(this.#options.socketPath, resolve);
      });
    } finally {
      process.umask(mask);
    }
  }

  #forward(request: IncomingMessage, response: ServerResponse): void {
    void this.#exchange('request', async (exchange) => {
      const url = URL.parse(request.url ?? '');
      if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
        throw new UpstreamFailure('blocked', 'this is a proxy: send the whole URL, or CONNECT');
      const origin = this.#allowed([url.origin]);
      const { tenantId, context } = this.#options;
      const agent = this.#ways.dialer.agentFor(tenantId, context());
      await this.#ways.breakers
        .run(tenantId, origin, () => forward({ request, response, url, agent, exchange }))
        .catch((error: unknown) => {
          if (!(error instanceof ServerError)) throw error; // the breaker has counted it; it is an answer all the same
        });
    }).then((refusal) => {
      if (refusal === undefined) return;
      if (response.headersSent) response.destroy();
      else {
        const { status, headers } = refusal;
        response.writeHead(status, { ...headers, connection: 'close' }).end(refusal.sentence);
      }
    });
  }

  #tunnel(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => undefined); // its end is seen below
    let opened = false;
    void this.#exchange('tunnel', async (exchange) => {
      socket.once('close', () => exchange.end());
      const { host, port, origins } = tunnelTarget(request.url ?? '');
      const origin = this.#allowed(origins);
      const { tenantId, context } = this.#options;
      await this.#ways.breakers.run(tenantId, origin, async () => {
        const upstream = await this.#ways.dialer.open(host, port, context());
        exchange.onEnd(() => upstream.destroy());
        opened = true;
        exchange.own(tunnel({ client: socket, upstream, head, exchange }));
      });
      await exchange.owned;
    }).then((refusal) => {
      if (refusal === undefined || opened) socket.destroy();
      else socket.end(refusalText(refusal));
    });
  }

  /** The first of these origins that the release names. @throws UpstreamFailure blocked */
  #allowed(origins: readonly string[]): string {
    const found = origins.find((origin) => this.#options.policy.allows(origin));
    if (found !== undefined) return found;
    throw new UpstreamFailure('blocked', `${origins[0] ?? 'this'} is not among the origins of this release`);
  }

  /** Runs one exchange within its limits; resolves with why it was refused or broke off. */
  async #exchange(
    kind: 'request' | 'tunnel',
    run: (exchange: ProxyExchange) => Promise<void>,
  ): Promise<Refusal | undefined> {
    const exchange = new ProxyExchange(this.#limits);
    let outcome = 'done';
    try {
      if (this.#open.size >= this.#limits.exchangesMax)
        throw new UpstreamFailure('busy', `${this.#open.size} requests of this worker are under way`);
      this.#open.add(exchange);
      await run(exchange);
      return undefined;
    } catch (error) {
      const failure = exchange.brokenBy ?? upstreamFailureOf(error, exchange.signal);
      outcome = failure.reason;
      return refusalOf(failure);
    } finally {
      exchange.end();
      this.#open.delete(exchange);
      const { sentBytes: sent, receivedBytes: received } = exchange;
      this.#ways.traffic.count(kind, outcome, { sent, received });
    }
  }
}
