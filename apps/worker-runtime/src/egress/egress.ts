import type { Duplex } from 'node:stream';
import { EVERY_ORIGIN, type UpstreamState, type UpstreamsOf } from '#libs/protocol';
import { Slots, withDeadline } from '#libs/resilience';
import { DurationTally, OTHER, Tally, TopNames } from '#libs/telemetry';
import { Attempts } from './attempts.js';
import { Breakers } from './breakers.js';
import { Dialer, type Resolve } from './dialer.js';
import { BreakerNews } from './breaker-news.js';
import { DriftHints } from './drift-hints.js';
import { ListNews } from './list-news.js';
import type { EgressAnswer, EgressRequest } from './egress-request.js';
import { endRequestSpan, startRequestSpan, withTraceparent } from './request-span.js';
import { ProxyTraffic } from './proxy/proxy-traffic.js';
import { serveOutlet, type OutletOptions } from './proxy/outlet.js';
import { WorkerProxy, type WorkerProxyOptions } from './proxy/worker-proxy.js';
import { Redactions, type Redaction } from './redaction.js';
import { firstHop, nextHop } from './redirects.js';
import { redactedLines } from './streams/redacted-lines.js';
import { ClientCredentials } from './tokens/client-credentials.js';
import { withToken, type Exchanging } from './tokens/grants.js';
import { KeptPersonTokens } from './tokens/kept-person-tokens.js';
import { withPersonToken } from './tokens/person-token.js';
import { StaleAnswers } from './stale-answers.js';
import { UpstreamFailure, upstreamFailureOf } from './upstream-failure.js';
import type { HopAnswer } from './upstream-request.js';

/** Where egress differs from its defaults. */
export interface EgressOptions {
  readonly resolve?: Resolve;
  /** How long a breaker stays open. */
  readonly breakerOpenMs?: number;
  readonly responseBytesMax?: number;
}

const REDIRECTS_MAX = 5;
/** Upstreams with most traffic that metrics name; the rest is `other`. */
const UPSTREAMS_NAMED_MAX = 50;
const RESPONSE_BYTES_MAX = 10 * 1024 * 1024;
const REQUESTS_PER_TENANT_MAX = 64;
/** Streams that are only listened to, which may last. */
const STREAMS_PER_TENANT_MAX = 256;
/** No request lasts longer, whatever its tool and its caller allow. */
const REQUEST_MS_MAX = 120_000;
const STREAM_MS_MAX = 3_600_000;

/** The only way from a worker to the network. What a tool may reach and which secrets go along is the release's to say. */
export class Egress {
  /** What workers tell of upstreams that are not as they were approved. */
  readonly drift = new DriftHints();
  /** Which breakers have opened or closed. */
  readonly breakerNews = new BreakerNews();
  /** What servers behind it, and those in workers, say of their lists. */
  readonly listNews = new ListNews();
  readonly #dialer: Dialer;
  readonly #breakers: Breakers;
  readonly #tokens: ClientCredentials;
  readonly #personTokens = new KeptPersonTokens();
  readonly #send: ReturnType<typeof withToken>;
  readonly #redactions = new Redactions();
  readonly #stale = new StaleAnswers();
  readonly #proxied = new ProxyTraffic();
  readonly #slots = new Slots();
  readonly #streamSlots = new Slots();
  readonly #proxySlots = new Slots();
  readonly #requests = new Tally('egress', 'wharf_egress_requests', 'Upstream requests of tools, by how they ended.');
  readonly #duration = new DurationTally(
    'wharf_egress_duration_seconds',
    'Time from a tool asking to the upstream answer read.',
  );
  readonly #upstreams = new TopNames(UPSTREAMS_NAMED_MAX, (upstream) => {
    this.#requests.forget({ upstream });
    this.#duration.forget({ upstream });
  });

  constructor({ resolve, breakerOpenMs, responseBytesMax = RESPONSE_BYTES_MAX }: EgressOptions = {}) {
    this.#dialer = new Dialer(resolve);
    this.#breakers = new Breakers(breakerOpenMs, this.breakerNews);
    const attempts = new Attempts({ dialer: this.#dialer, breakers: this.#breakers, responseBytesMax });
    this.#tokens = new ClientCredentials(this.#dialer, this.#breakers);
    this.#send = withPersonToken(
      this.#personTokens,
      withToken(this.#tokens, (...sent) => attempts.send(...sent)),
    );
  }

  /** Makes a tool's request; never throws. */
  async fetch(request: EgressRequest): Promise<EgressAnswer> {
    const started = performance.now();
    const span = startRequestSpan(request);
    const answer = await this.#answer(withTraceparent(request, span));
    const outcome = answer.kind === 'fetched' ? `${Math.floor(answer.status / 100)}xx` : answer.reason;
    endRequestSpan(span, answer);
    // Only what was let out has a name here: what a release does not name is anybody's text.
    const upstream = outcome === 'blocked' ? OTHER : this.#upstreams.count(hostOf(request.url));
    this.#requests.add({ upstream, outcome });
    this.#duration.record((performance.now() - started) / 1_000, { upstream });
    return this.#stale.settle(request, answer);
  }

  /** A worker's own HTTP proxy, for code in it that makes requests by itself. */
  openProxy(options: WorkerProxyOptions): WorkerProxy {
    const ways = { dialer: this.#dialer, breakers: this.#breakers, traffic: this.#proxied, slots: this.#proxySlots };
    return new WorkerProxy(ways, options);
  }

  /** Serves the connection that a worker has inherited for its code's requests, until it ends. */
  serveOutlet(outlet: Duplex, options: WorkerProxyOptions & OutletOptions): void {
    serveOutlet(outlet, this.openProxy(options), options);
  }

  /** How a tenant's upstreams are doing, each once for every release that has called it, or for those that are wanted. */
  upstreams(tenantId: string, origins: readonly string[], wanted?: UpstreamsOf): UpstreamState[] {
    if (origins.includes(EVERY_ORIGIN)) return this.#breakers.allOf(tenantId);
    return origins.flatMap((origin) => this.#breakers.statesOf(tenantId, origin, wanted));
  }

  /** Closes a tenant's connections and forgets what is known for it. */
  forget(tenantId: string): void {
    this.#dialer.forget(tenantId);
    this.#breakers.forget(tenantId);
    this.#stale.forget(tenantId);
    this.#tokens.forget(tenantId);
    this.#personTokens.forget(tenantId);
  }

  async close(): Promise<void> {
    this.#breakers.close();
    await this.#dialer.close();
  }

  async #answer(request: EgressRequest): Promise<EgressAnswer> {
    const [slots, most] = isListening(request)
      ? [this.#streamSlots, STREAMS_PER_TENANT_MAX]
      : [this.#slots, REQUESTS_PER_TENANT_MAX];
    const release = slots.take(request.tenantId, most);
    if (release === undefined)
      return { kind: 'failed', reason: 'busy', message: `${most} requests of this tenant are under way` };
    let redaction = this.#redactions.of(request);
    const timeoutMs = timeLimitMs(request);
    const deadline = withDeadline(timeoutMs, request.signal);
    try {
      const stream = request.stream && redactedLines(request.stream, () => redaction);
      const { status, headers, body, rest } = await this.#follow({ ...request, stream }, () => redaction, {
        signal: deadline.signal,
        deadlineMs: Date.now() + timeoutMs,
        keepSecret: (value) => {
          redaction = redaction.with(value);
        },
      });
      await rest;
      return { kind: 'fetched', status, headers: redaction.values(headers), body: redaction.bytes(body) };
    } catch (error) {
      const { reason, message, retryAtMs, login } = upstreamFailureOf(error, deadline.signal);
      return {
        kind: 'failed',
        reason,
        message: redaction.text(message),
        ...(retryAtMs === undefined ? {} : { retryAtMs }),
        ...(login === undefined ? {} : { login }),
      };
    } finally {
      deadline.done();
      release();
    }
  }

  async #follow(request: EgressRequest, redaction: () => Redaction, exchanging: Exchanging): Promise<HopAnswer> {
    let hop = firstHop(request);
    for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects += 1) {
      const answer = await this.#send(request, hop, exchanging);
      const next = nextHop(request, hop, answer, redaction());
      if (next === undefined) return answer;
      hop = next;
    }
    throw new UpstreamFailure('invalid_response', `it redirected more than ${REDIRECTS_MAX} times`);
  }
}

function hostOf(url: string): string {
  return URL.parse(url)?.host ?? OTHER;
}

/** Whether a request asks for a stream to listen to, rather than for an answer. */
function isListening({ stream, method }: EgressRequest): boolean {
  return stream !== undefined && method === 'GET';
}

/** What the caller has left, what the tool allows itself, what anybody may take: the least of them. */
function timeLimitMs({ timeoutMs, policy, tool, stream }: EgressRequest): number {
  const most = stream === undefined ? REQUEST_MS_MAX : STREAM_MS_MAX;
  return Math.min(timeoutMs, policy.findTool(tool)?.timeoutMs ?? most, most);
}
