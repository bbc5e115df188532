import { setTimeout as pause } from 'node:timers/promises';
import { meter } from '#libs/telemetry';
import type { Breakers } from './breakers.js';
import { ServerError } from './error-class.js';
import type { Dialer } from './dialer.js';
import type { EgressRequest } from './egress-request.js';
import { withCredentials } from './outgoing-request.js';
import type { Hop } from './redirects.js';
import { RetryBudget } from './retry-budget.js';
import { retryWaitMs, type Attempt } from './retry-wait.js';
import { UpstreamFailure, upstreamFailureOf } from './upstream-failure.js';
import { sendOnce, type HopAnswer } from './upstream-request.js';

/** What attempts are made through. */
export interface Ways {
  readonly dialer: Dialer;
  readonly breakers: Breakers;
  readonly responseBytesMax: number;
}

/** Until when an attempt may last. */
export interface TimeLeft {
  readonly signal: AbortSignal;
  /** Epoch milliseconds. */
  readonly deadlineMs: number;
}

const RETRIES_MAX = 2;

/**
 * Makes one hop's request, and again where that can do no harm: the method or the tool says that running it twice is
 * running it once, or nothing was sent. Within the deadline and the budget of the tenant's calls of that origin.
 */
export class Attempts {
  readonly #ways: Ways;
  readonly #budget = new RetryBudget();
  readonly #retries = meter('egress').createCounter('wharf_egress_retries', {
    description: 'Upstream requests that were made once more, by why.',
  });

  constructor(ways: Ways) {
    this.#ways = ways;
  }

  /** The upstream's answer, also one of the 5xx kind. @throws UpstreamFailure */
  async send(request: EgressRequest, hop: Hop, time: TimeLeft): Promise<HopAnswer> {
    const key = `${request.tenantId} ${hop.url.origin}`;
    this.#budget.earn(key);
    let last = await this.#attempt(request, hop, time.signal);
    for (let retries = 0; retries < RETRIES_MAX; retries += 1) {
      const waitMs = retryWaitMs(last, isIdempotent(request), retries);
      if (waitMs === undefined || Date.now() + waitMs >= time.deadlineMs || !this.#budget.spend(key)) break;
      await pause(waitMs, undefined, { signal: time.signal }).catch((error: unknown) => {
        throw upstreamFailureOf(error, time.signal);
      });
      const next = await this.#attempt(request, hop, time.signal);
      if (next.kind === 'failed' && next.failure.reason === 'open') break; // what was met before tells more
      this.#retries.add(1, { why: last.kind === 'answered' ? 'server_error' : last.failure.reason });
      last = next;
    }
    if (last.kind === 'failed') throw last.failure;
    return last.answer;
  }

  /** One request through its breaker. A 5xx counts against the upstream and is still an answer. */
  async #attempt(
    { tenantId, release, policy, context, tool, method, body, stream, moved }: EgressRequest,
    { url, headers, trusted }: Hop,
    signal: AbortSignal,
  ): Promise<Attempt> {
    const { dialer, breakers, responseBytesMax } = this.#ways;
    let answer: HopAnswer | undefined;
    try {
      const credentials = trusted ? policy.credentialsFor(tool, url.origin) : [];
      const filled = withCredentials(url, headers, credentials, context.secrets);
      const listens = stream !== undefined && method === 'GET';
      const agent = dialer.agentFor(tenantId, context, listens ? 'listening' : 'asking');
      const sent = { origin: url.origin, method, body: body.length > 0 ? body : undefined, stream, moved, ...filled };
      const counted = { tenantId, origin: url.origin, release };
      breakers.obey(tenantId, url.origin, context.breakerOrders);
      await breakers.run(counted, async () => {
        answer = await sendOnce(agent, sent, responseBytesMax, signal);
        if (answer.status >= 500) throw new ServerError();
      });
    } catch (error) {
      if (answer === undefined) return { kind: 'failed', failure: upstreamFailureOf(error, signal) };
    }
    if (answer === undefined) return { kind: 'failed', failure: new UpstreamFailure('connect', '') };
    return { kind: 'answered', answer };
  }
}

function isIdempotent({ method, policy, tool }: EgressRequest): boolean {
  return method === 'GET' || method === 'HEAD' || policy.findTool(tool)?.idempotent === true;
}
