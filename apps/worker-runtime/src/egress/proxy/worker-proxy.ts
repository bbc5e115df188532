import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Slots } from '#libs/resilience';
import type { EgressContext } from '#libs/protocol';
import type { Breakers } from '../breakers.js';
import { ServerError } from '../error-class.js';
import type { Dialer } from '../dialer.js';
import type { EgressPolicy } from '../egress-policy.js';
import { ruleOfFailure, UpstreamFailure, upstreamFailureOf } from '../upstream-failure.js';
import { forward } from './forward.js';
import { ProxyExchange } from './proxy-exchange.js';
import type { ProxyTraffic } from './proxy-traffic.js';
import { refusalText, refusalOf, type Refusal } from './refusal.js';
import { tunnelTarget } from './tunnel-target.js';
import { tunnel } from './tunnel.js';

/** A release that a worker's code makes requests for. */
export interface ProxiedRelease {
  readonly digest: string;
  /** The slugs of the servers that the worker serves it as. */
  readonly servers: readonly string[];
  readonly policy: EgressPolicy;
}

/** What one worker's proxy may do; sizes in bytes count both ways together. */
export interface ProxyLimits {
  readonly exchangesMax: number;
  readonly bytesMax: number;
  readonly idleMs: number;
  readonly totalMs: number;
}

/** Whose proxy it is. */
export interface WorkerProxyOptions {
  readonly tenantId: string;
  /** What egress may do for the tenant now; asked for each request. */
  readonly context: () => EgressContext;
  readonly limits?: Partial<ProxyLimits>;
  /** Told which rule of ours ended a request or tunnel. */
  readonly onStopped?: (rule: string) => void;
  /** Told of bytes that a request or tunnel sends or receives, as they pass: tunnels may last. */
  readonly onMoved?: (bytes: number) => void;
}

/** What proxies go out through, and where they are counted. */
export interface ProxyWays {
  readonly dialer: Dialer;
  readonly breakers: Breakers;
  readonly traffic: ProxyTraffic;
  /** What the tenant's workers together have under way. */
  readonly slots: Slots;
}

const LIMITS: ProxyLimits = {
  exchangesMax: 64,
  bytesMax: 256 * 1024 * 1024,
  idleMs: 60_000,
  totalMs: 10 * 60_000,
};
/** Requests and tunnels of all workers of a tenant. */
const TENANT_EXCHANGES_MAX = 256;
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
  /** The release that each connection is made for. */
  readonly #releases = new WeakMap<Duplex, ProxiedRelease>();

  constructor(ways: ProxyWays, options: WorkerProxyOptions) {
    this.#ways = ways;
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#server = createServer({ maxHeaderSize: HEADERS_BYTES_MAX }, (request, response) =>
      this.#forward(request, response),
    );
    this.#server.on('connect', (request, socket, head) => this.#tunnel(request, socket, head));
  }

  /** Serves one connection of the worker's code, for a release of its. */
  accept(connection: Duplex, release: ProxiedRelease): void {
    this.#releases.set(connection, release);
    this.#server.emit('connection', connection);
  }

  /** Ends everything that is under way; connections are for whoever has given them to end. */
  close(): void {
    for (const exchange of this.#open) exchange.end();
  }

  #forward(request: IncomingMessage, response: ServerResponse): void {
    void this.#exchange('request', async (exchange) => {
      const url = URL.parse(request.url ?? '');
      if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
        throw new UpstreamFailure('blocked', 'this is a proxy: send the whole URL, or CONNECT');
      exchange.origin = url.origin;
      const allowed = this.#allowed(request.socket, [url.origin]);
      const { tenantId, context } = this.#options;
      this.#ways.breakers.obey(tenantId, allowed.origin, context().breakerOrders);
      const agent = this.#ways.dialer.agentFor(tenantId, context());
      await this.#ways.breakers
        .run({ tenantId, ...allowed }, () => forward({ request, response, url, agent, exchange }))
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
      exchange.origin = origins[0] ?? '';
      const allowed = this.#allowed(socket, origins);
      const { tenantId, context } = this.#options;
      this.#ways.breakers.obey(tenantId, allowed.origin, context().breakerOrders);
      await this.#ways.breakers.run({ tenantId, ...allowed }, async () => {
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

  /** The first of these origins that the release names, and which release that is. @throws UpstreamFailure blocked */
  #allowed(connection: Duplex, origins: readonly string[]): { origin: string; release: ProxiedRelease } {
    const release = this.#releases.get(connection);
    const origin = origins.find((one) => release?.policy.allows(one) === true);
    if (release !== undefined && origin !== undefined) return { origin, release };
    throw new UpstreamFailure('blocked', `${origins[0] ?? 'this'} is not among the origins of this release`);
  }

  /** Runs one exchange within its limits; resolves with why it was refused or broke off. */
  async #exchange(
    kind: 'request' | 'tunnel',
    run: (exchange: ProxyExchange) => Promise<void>,
  ): Promise<Refusal | undefined> {
    const exchange = new ProxyExchange(this.#limits, this.#options.onMoved);
    const leave = this.#ways.slots.take(this.#options.tenantId, TENANT_EXCHANGES_MAX);
    let outcome = 'done';
    try {
      if (leave === undefined) throw new UpstreamFailure('busy', 'too many requests of this tenant are under way');
      if (this.#open.size >= this.#limits.exchangesMax)
        throw new UpstreamFailure('busy', `${this.#open.size} requests of this worker are under way`);
      this.#open.add(exchange);
      await run(exchange);
      return undefined;
    } catch (error) {
      const failure = exchange.brokenBy ?? upstreamFailureOf(error, exchange.signal);
      outcome = failure.reason;
      const rule = ruleOfFailure(failure.reason, exchange.origin);
      if (rule !== undefined) this.#options.onStopped?.(rule);
      return refusalOf(failure);
    } finally {
      exchange.end();
      leave?.();
      this.#open.delete(exchange);
      const { sentBytes: sent, receivedBytes: received } = exchange;
      this.#ways.traffic.count(kind, outcome, { sent, received });
    }
  }
}
