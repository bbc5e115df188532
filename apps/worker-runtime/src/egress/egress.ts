import type { EgressContext, FetchFailureReason } from '#libs/protocol';
import { Slots, withDeadline } from '#libs/resilience';
import { meter } from '#libs/telemetry';
import { Breakers } from './breakers.js';
import { Dialer, type Resolve } from './dialer.js';
import type { EgressPolicy } from './egress-policy.js';
import { anonymousHeaders, permittedHeaders, withCredentials } from './outgoing-request.js';
import { Redaction } from './redaction.js';
import { UpstreamFailure, upstreamFailureOf } from './upstream-failure.js';
import { sendOnce, type HopAnswer } from './upstream-request.js';

/** One request of a tool, as its runner asks for it, and whose it is. */
export interface EgressRequest {
  readonly tenantId: string;
  readonly policy: EgressPolicy;
  readonly context: EgressContext;
  readonly tool: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** What came of it. */
export type EgressAnswer =
  | ({ readonly kind: 'fetched' } & HopAnswer)
  | {
      readonly kind: 'failed';
      readonly reason: FetchFailureReason;
      readonly message: string;
      readonly retryAtMs?: number;
    };

/** Where egress differs from its defaults. */
export interface EgressOptions {
  readonly resolve?: Resolve;
  /** How long a breaker stays open. */
  readonly breakerOpenMs?: number;
  readonly responseBytesMax?: number;
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const REDIRECTS_MAX = 5;
const REQUEST_BYTES_MAX = 4 * 1024 * 1024;
const RESPONSE_BYTES_MAX = 10 * 1024 * 1024;
const REQUESTS_PER_TENANT_MAX = 64;

interface Hop {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** A redirect that leaves its origin leaves its credentials behind, for good. */
  readonly trusted: boolean;
}

/** The only way from a worker to the network. What a tool may reach and which secrets go along is the release's to say. */
export class Egress {
  readonly #dialer: Dialer;
  readonly #breakers: Breakers;
  readonly #slots = new Slots();
  readonly #responseBytesMax: number;
  readonly #requests = meter('egress').createCounter('wharf_egress_requests', {
    description: 'Upstream requests of tools, by how they ended.',
  });
  readonly #duration = meter('egress').createHistogram('wharf_egress_duration', {
    unit: 'ms',
    description: 'Time from a tool asking to the upstream answer read.',
  });

  constructor({ resolve, breakerOpenMs, responseBytesMax }: EgressOptions = {}) {
    this.#dialer = new Dialer(resolve);
    this.#breakers = new Breakers(breakerOpenMs);
    this.#responseBytesMax = responseBytesMax ?? RESPONSE_BYTES_MAX;
  }

  /** Makes a tool's request; never throws. */
  async fetch(request: EgressRequest): Promise<EgressAnswer> {
    const started = performance.now();
    const redaction = new Redaction(request.policy.secretNames.map((name) => request.context.secrets[name] ?? ''));
    const answer = await this.#answer(request, redaction);
    const outcome = answer.kind === 'fetched' ? `${Math.floor(answer.status / 100)}xx` : answer.reason;
    this.#requests.add(1, { outcome });
    this.#duration.record(performance.now() - started, { outcome });
    return answer;
  }

  /** Closes a tenant's connections. */
  forget(tenantId: string): void {
    this.#dialer.forget(tenantId);
  }

  async close(): Promise<void> {
    this.#breakers.close();
    await this.#dialer.close();
  }

  async #answer(request: EgressRequest, redaction: Redaction): Promise<EgressAnswer> {
    const release = this.#slots.take(request.tenantId, REQUESTS_PER_TENANT_MAX);
    if (release === undefined) {
      return {
        kind: 'failed',
        reason: 'busy',
        message: `${REQUESTS_PER_TENANT_MAX} requests of this tenant are under way`,
      };
    }
    const deadline = withDeadline(request.timeoutMs, request.signal);
    try {
      const { status, headers, body } = await this.#follow(request, redaction, deadline.signal);
      const shown = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, redaction.text(value)]));
      return { kind: 'fetched', status, headers: shown, body: redaction.bytes(body) };
    } catch (error) {
      const { reason, message, retryAtMs } = upstreamFailureOf(error, deadline.signal);
      return {
        kind: 'failed',
        reason,
        message: redaction.text(message),
        ...(retryAtMs === undefined ? {} : { retryAtMs }),
      };
    } finally {
      deadline.done();
      release();
    }
  }

  async #follow(request: EgressRequest, redaction: Redaction, signal: AbortSignal): Promise<HopAnswer> {
    let hop = firstHop(request);
    for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects += 1) {
      const answer = await this.#send(request, hop, signal);
      const next = nextHop(request, hop, answer, redaction);
      if (next === undefined) return answer;
      hop = next;
    }
    throw new UpstreamFailure('invalid_response', `it redirected more than ${REDIRECTS_MAX} times`);
  }

  /** One hop through its breaker. A 5xx counts against the upstream and is still an answer. */
  async #send(
    { tenantId, policy, context, tool, method, body }: EgressRequest,
    { url, headers, trusted }: Hop,
    signal: AbortSignal,
  ): Promise<HopAnswer> {
    const credentials = trusted ? policy.credentialsFor(tool, url.origin) : [];
    const filled = withCredentials(url, headers, credentials, context.secrets);
    const agent = this.#dialer.agentFor(tenantId, context.allowances);
    let answer: HopAnswer | undefined;
    try {
      await this.#breakers.run(tenantId, url.origin, async () => {
        answer = await sendOnce(
          agent,
          { origin: url.origin, method, body: body.length > 0 ? body : undefined, ...filled },
          this.#responseBytesMax,
          signal,
        );
        if (answer.status >= 500) throw new UpstreamFailure('invalid_response', '');
      });
    } catch (error) {
      if (answer === undefined) throw error;
    }
    if (answer === undefined) throw new UpstreamFailure('connect', '');
    return answer;
  }
}

function firstHop({ policy, tool, method, url: text, headers, body }: EgressRequest): Hop {
  const url = URL.parse(text);
  if (url === null || !isHttp(url)) throw new UpstreamFailure('blocked', 'its URL is not http or https');
  if (!policy.allows(url.origin))
    throw new UpstreamFailure('blocked', `${url.origin} is not among the origins of this release`);
  if (!policy.hasTool(tool)) throw new UpstreamFailure('blocked', 'the release has no such tool');
  if (!METHODS.has(method)) throw new UpstreamFailure('blocked', 'its method is not allowed');
  if (body.length > REQUEST_BYTES_MAX)
    throw new UpstreamFailure('blocked', `its body is larger than ${REQUEST_BYTES_MAX} bytes`);
  return { url, headers: permittedHeaders(headers), trusted: true };
}

/** Where a redirect leads, when it is one to follow: GET and HEAD only, to origins of the release only. */
function nextHop(
  { policy, method }: EgressRequest,
  hop: Hop,
  { status, headers }: HopAnswer,
  redaction: Redaction,
): Hop | undefined {
  if (!REDIRECTS.has(status) || (method !== 'GET' && method !== 'HEAD')) return undefined;
  const location = headers['location'];
  const url = location === undefined ? null : URL.parse(location, hop.url.href);
  if (url === null || !isHttp(url) || !policy.allows(url.origin)) return undefined;
  if (url.origin === hop.url.origin) return { ...hop, url };
  if (redaction.text(url.href) !== url.href)
    throw new UpstreamFailure('blocked', 'a redirect would carry a secret to another origin');
  return { url, headers: anonymousHeaders(hop.headers), trusted: false };
}

function isHttp(url: URL): boolean {
  return (url.protocol === 'https:' || url.protocol === 'http:') && url.username === '' && url.password === '';
}
