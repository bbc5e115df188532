import { LRUCache } from 'lru-cache';
import type { UpstreamErrorClass, UpstreamState } from '#libs/protocol';
import { circuitBreaker, isBreakerOpen } from '#libs/resilience';
import { meter } from '#libs/telemetry';
import { UpstreamFailure } from './upstream-failure.js';

type Breaker = ReturnType<typeof circuitBreaker<[() => Promise<void>], void>>;

interface Known {
  readonly breaker: Breaker;
  retryAtMs: number;
  lastError?: { readonly reason: UpstreamErrorClass; readonly atMs: number };
  lastSuccessAtMs?: number;
}

const BREAKERS_MAX = 5_000;
/** One that nobody has used for so long is forgotten: a release that is gone leaves its breakers behind. */
const UNUSED_MS = 3_600_000;
/** Of how many releases, the last used, the breakers of an origin are told. */
const RELEASES_TOLD_MAX = 8;
const OPEN_MS = 30_000;
const RETRY_MS_MIN = 1_000;

/** An answer of the 5xx kind, for the breaker to count. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
}

/** Whose requests one breaker counts; without a release, those that no release makes by itself. */
export interface BreakerOf {
  readonly tenantId: string;
  readonly origin: string;
  /** Its digest: what a candidate does to an upstream must keep nobody else from it, nor be anybody else's fault. */
  readonly release?: string;
}

/**
 * Keeps calls away from an upstream that keeps failing: one breaker for each tenant, origin and release.
 *
 *     closed ──half of ten requests failed──► open ──30 s──► half-open ──a request succeeded──► closed
 *                                              ▲                 │
 *                                              └──it failed, or was given up──┘
 */
export class Breakers {
  readonly #openMs: number;
  readonly #known = new LRUCache<string, Known>({
    max: BREAKERS_MAX,
    ttl: UNUSED_MS,
    updateAgeOnGet: true,
    dispose: ({ breaker }) => breaker.shutdown(),
  });
  readonly #changes = meter('egress').createCounter('wharf_egress_breaker_changes', {
    description: 'Circuit breakers of upstreams, by the state they came to.',
  });
  readonly #gauge = meter('egress').createObservableGauge('wharf_egress_breakers', {
    description: 'Circuit breakers of upstreams that are not closed, by state.',
  });

  constructor(openMs = OPEN_MS) {
    this.#openMs = openMs;
    this.#gauge.addCallback(this.#observe);
  }

  /** Runs a request to an origin; it throws when the upstream failed. @throws UpstreamFailure open, without running it */
  async run(of: BreakerOf, request: () => Promise<void>): Promise<void> {
    const known = this.#get(keyOf(of));
    try {
      await known.breaker.fire(request);
      known.lastSuccessAtMs = Date.now();
    } catch (error) {
      if (isBreakerOpen(error)) throw new UpstreamFailure('open', '', { retryAtMs: retryAtMs(known) });
      note(known, error);
      throw error;
    }
  }

  /** How an origin of a tenant is doing, for each release that has called it; one that was never called is closed. */
  statesOf(tenantId: string, origin: string): UpstreamState[] {
    const own = this.#keysOf(keyOf({ tenantId, origin })).slice(0, RELEASES_TOLD_MAX);
    const known = own.flatMap((key) => this.#known.peek(key) ?? []);
    if (known.length === 0) return [{ origin, state: 'closed', requests: 0, failures: 0 }];
    return known.map((one) => this.#stateOf(origin, one));
  }

  #stateOf(origin: string, known: Known): UpstreamState {
    const { breaker, lastError, lastSuccessAtMs } = known;
    const state = stateOf(breaker);
    return {
      origin,
      state,
      requests: breaker.stats.successes + breaker.stats.failures,
      failures: breaker.stats.failures,
      ...(state === 'closed' ? {} : { retryAtMs: retryAtMs(known) }),
      ...(lastError === undefined ? {} : { lastError }),
      ...(lastSuccessAtMs === undefined ? {} : { lastSuccessAtMs }),
    };
  }

  /** Forgets the breakers of a tenant. */
  forget(tenantId: string): void {
    for (const key of this.#keysOf(`${tenantId} `)) this.#known.delete(key);
  }

  /** Those that begin so, the last used first. */
  #keysOf(start: string): string[] {
    return [...this.#known.keys()].filter((key) => key.startsWith(start));
  }

  /** Forgets every breaker and its timers. */
  close(): void {
    this.#gauge.removeCallback(this.#observe);
    this.#known.clear();
  }

  #get(key: string): Known {
    const found = this.#known.get(key);
    if (found !== undefined) return found;
    const breaker: Breaker = circuitBreaker(key, (request: () => Promise<void>) => request(), {
      openMs: this.#openMs,
      ignore: (error) => isHealthy(error, breaker),
    });
    const made: Known = { breaker, retryAtMs: 0 };
    breaker.on('open', () => {
      made.retryAtMs = Date.now() + this.#openMs;
      this.#changes.add(1, { state: 'open' });
    });
    breaker.on('halfOpen', () => this.#changes.add(1, { state: 'half-open' }));
    breaker.on('close', () => this.#changes.add(1, { state: 'closed' }));
    this.#known.set(key, made);
    return made;
  }

  readonly #observe = (result: { observe(value: number, labels: { state: string }): void }): void => {
    const count = { open: 0, 'half-open': 0, closed: 0 };
    for (const { breaker } of this.#known.values()) count[stateOf(breaker)] += 1;
    result.observe(count.open, { state: 'open' });
    result.observe(count['half-open'], { state: 'half-open' });
  };
}

/** Whether an error says nothing against the upstream. A probe that was given up proves nothing, so it does not close a breaker. */
function isHealthy(error: unknown, breaker: Breaker): boolean {
  if (!(error instanceof UpstreamFailure)) return false;
  if (error.reason === 'too_large') return true;
  return (error.reason === 'blocked' || error.reason === 'aborted') && !breaker.halfOpen;
}

function note(known: Known, error: unknown): void {
  const reason = errorClassOf(error);
  if (reason !== undefined) known.lastError = { reason, atMs: Date.now() };
  else if (error instanceof UpstreamFailure && error.reason === 'too_large') known.lastSuccessAtMs = Date.now();
}

/** What an error says against the upstream, undefined where it says nothing. */
function errorClassOf(error: unknown): UpstreamErrorClass | undefined {
  if (error instanceof ServerError) return 'server_error';
  if (!(error instanceof UpstreamFailure)) return undefined;
  switch (error.reason) {
    case 'timeout':
    case 'connect':
    case 'untrusted':
    case 'broken_off':
    case 'invalid_response':
      return error.reason;
    default:
      return undefined;
  }
}

function stateOf(breaker: Breaker): UpstreamState['state'] {
  return breaker.opened ? 'open' : breaker.halfOpen ? 'half-open' : 'closed';
}

function retryAtMs(known: Known): number {
  return Math.max(known.retryAtMs, Date.now() + RETRY_MS_MIN);
}

function keyOf({ tenantId, origin, release = '' }: BreakerOf): string {
  return `${tenantId} ${origin} ${release}`;
}
