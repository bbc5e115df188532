import { LRUCache } from 'lru-cache';
import type { BreakerChange, BreakerOrder, UpstreamErrorClass, UpstreamState, UpstreamsOf } from '#libs/protocol';
import { circuitBreaker, isBreakerOpen } from '#libs/resilience';
import { meter } from '#libs/telemetry';
import type { BreakerNews } from './breaker-news.js';
import { errorClassOf } from './error-class.js';
import { UpstreamFailure } from './upstream-failure.js';

type Breaker = ReturnType<typeof circuitBreaker<[() => Promise<void>], void>>;

interface Known {
  readonly of: BreakerOf;
  readonly breaker: Breaker;
  usedAtMs: number;
  retryAtMs: number;
  /** What was last told of it: one that opens again after a try has told nothing new. */
  told: 'open' | 'closed';
  lastError?: { readonly reason: UpstreamErrorClass; readonly atMs: number };
  lastSuccessAtMs?: number;
}

const BREAKERS_MAX = 5_000;
/** A tenant with more loses its own that it used last, and nobody else's. */
const BREAKERS_PER_TENANT_MAX = 200;
/** One that nobody has used for so long is forgotten: a release that is gone leaves its breakers behind. */
const UNUSED_MS = 3_600_000;
/** How many breakers of an origin, the last used, are told where nobody says of which releases. */
const RELEASES_TOLD_MAX = 8;
/** One that nobody has used for so long is not counted: its release may be gone, or its upstream not wanted. */
const COUNTED_MS = 120_000;
const OPEN_MS = 30_000;
const RETRY_MS_MIN = 1_000;

/** Whose requests one breaker counts; without a release, those that no release makes by itself. */
export interface BreakerOf {
  readonly tenantId: string;
  readonly origin: string;
  /**
   * What a candidate does to an upstream must keep nobody else from it, nor be anybody else's fault; and servers of one
   * digest are not alike: an environment has secrets of its own.
   */
  readonly release?: { readonly digest: string; readonly servers: readonly string[] };
}

/**
 * Keeps calls away from an upstream that keeps failing: one breaker for each tenant, origin, release and
 * server.
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
  /** The last reset of an origin of a tenant that was obeyed. */
  readonly #resets = new LRUCache<string, number>({ max: BREAKERS_MAX });
  readonly #changes = meter('egress').createCounter('wharf_egress_breaker_changes', {
    description: 'Circuit breakers of upstreams, by the state they came to.',
  });
  readonly #gauge = meter('egress').createObservableGauge('wharf_egress_breakers', {
    description: 'Circuit breakers of upstreams that are not closed, by state.',
  });

  constructor(
    openMs = OPEN_MS,
    private readonly news?: Pick<BreakerNews, 'note'>,
  ) {
    this.#openMs = openMs;
    this.#gauge.addCallback(this.#observe);
  }

  /** Runs a request to an origin; it throws when the upstream failed. @throws UpstreamFailure open, without running it */
  async run(of: BreakerOf, request: () => Promise<void>): Promise<void> {
    const known = this.#get(of);
    try {
      await known.breaker.fire(request);
      known.lastSuccessAtMs = Date.now();
    } catch (error) {
      if (isBreakerOpen(error)) throw new UpstreamFailure('open', '', { retryAtMs: retryAtMs(known) });
      note(known, error);
      throw error;
    }
  }

  /** Does what operators say about an origin of a tenant. @throws UpstreamFailure held, while they hold it open */
  obey(tenantId: string, origin: string, orders: readonly BreakerOrder[] | undefined): void {
    const order = orders?.find((one) => one.origin === origin);
    if (order === undefined) return;
    const key = `${tenantId} ${origin} `;
    if (order.resetAtMs !== undefined && this.#resets.get(key) !== order.resetAtMs) {
      this.#resets.set(key, order.resetAtMs);
      for (const known of this.#keysOf(key)) this.#known.delete(known);
    }
    const retry = order.openUntilMs ?? 0;
    if (retry > Date.now()) throw new UpstreamFailure('held', '', { retryAtMs: retry });
  }

  /** How all of a tenant's origins are doing that it has called of late. */
  allOf(tenantId: string): UpstreamState[] {
    const own = this.#keysOf(`${tenantId} `).flatMap((key) => this.#known.peek(key) ?? []);
    return own.map((known) => this.#stateOf(known.of.origin, known));
  }

  /**
   * How an origin of a tenant is doing, for each release that has called it, or for those that are wanted; one that was
   * never called is closed.
   */
  statesOf(tenantId: string, origin: string, wanted?: UpstreamsOf): UpstreamState[] {
    const own = this.#keysOf(`${tenantId} ${origin} `).flatMap((key) => this.#known.peek(key) ?? []);
    const known =
      wanted === undefined ? own.slice(0, RELEASES_TOLD_MAX) : own.filter(({ of }) => isWanted(of.release, wanted));
    if (known.length === 0) return [{ origin, state: 'closed', requests: 0, failures: 0 }];
    return known.map((one) => this.#stateOf(origin, one));
  }

  #stateOf(origin: string, known: Known): UpstreamState {
    const { of, breaker, lastError, lastSuccessAtMs } = known;
    const state = stateOf(breaker);
    return {
      origin,
      ...(of.release === undefined ? {} : { release: of.release.digest }),
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

  #get(of: BreakerOf): Known {
    const key = keyOf(of);
    const known = this.#known.get(key) ?? this.#make(key, of);
    known.usedAtMs = Date.now();
    return known;
  }

  #make(key: string, of: BreakerOf): Known {
    const own = this.#keysOf(`${of.tenantId} `);
    for (const oldest of own.slice(BREAKERS_PER_TENANT_MAX - 1)) this.#known.delete(oldest);
    const breaker: Breaker = circuitBreaker(key, (request: () => Promise<void>) => request(), {
      openMs: this.#openMs,
      ignore: (error) => isHealthy(error, breaker),
    });
    const made: Known = { of, breaker, usedAtMs: Date.now(), retryAtMs: 0, told: 'closed' };
    breaker.on('open', () => {
      made.retryAtMs = Date.now() + this.#openMs;
      this.#changes.add(1, { state: 'open' });
      this.#tell(made, 'open');
    });
    breaker.on('halfOpen', () => this.#changes.add(1, { state: 'half-open' }));
    breaker.on('close', () => {
      this.#changes.add(1, { state: 'closed' });
      this.#tell(made, 'closed');
    });
    this.#known.set(key, made);
    return made;
  }

  /** After the request that changed it is over, whose error then is the last. */
  #tell(known: Known, state: Known['told']): void {
    if (known.told === state) return;
    known.told = state;
    const atMs = Date.now();
    setImmediate(() => this.news?.note(changeOf(known, state, atMs)));
  }

  readonly #observe = (result: { observe(value: number, labels: { state: string }): void }): void => {
    const count = { open: 0, 'half-open': 0, closed: 0 };
    const sinceMs = Date.now() - COUNTED_MS;
    for (const { breaker, usedAtMs } of this.#known.values()) if (usedAtMs >= sinceMs) count[stateOf(breaker)] += 1;
    result.observe(count.open, { state: 'open' });
    result.observe(count['half-open'], { state: 'half-open' });
  };
}

/** What never left, for a rule of ours or for what the tenant did not give. */
const ruledOut: ReadonlySet<UpstreamFailure['reason']> = new Set(['blocked', 'no_credential']);

/** Whether an error says nothing against the upstream. A probe that was given up proves nothing, so it does not close a breaker. */
function isHealthy(error: unknown, breaker: Breaker): boolean {
  if (!(error instanceof UpstreamFailure)) return false;
  if (error.reason === 'too_large') return true;
  return (ruledOut.has(error.reason) || error.reason === 'aborted') && !breaker.halfOpen;
}

function note(known: Known, error: unknown): void {
  const reason = errorClassOf(error);
  if (reason !== undefined) known.lastError = { reason, atMs: Date.now() };
  else if (error instanceof UpstreamFailure && error.reason === 'too_large') known.lastSuccessAtMs = Date.now();
}

function changeOf({ of, lastError, retryAtMs }: Known, state: Known['told'], atMs: number): BreakerChange {
  const { tenantId, origin, release } = of;
  return {
    tenantId,
    origin,
    ...(release === undefined ? {} : { release: release.digest }),
    state,
    atMs,
    ...(state === 'open' ? { retryAtMs, ...(lastError === undefined ? {} : { lastError: lastError.reason }) } : {}),
  };
}

function stateOf(breaker: Breaker): UpstreamState['state'] {
  return breaker.opened ? 'open' : breaker.halfOpen ? 'half-open' : 'closed';
}

function retryAtMs(known: Known): number {
  return Math.max(known.retryAtMs, Date.now() + RETRY_MS_MIN);
}

/** Those of no release are everybody's. */
function isWanted(release: BreakerOf['release'], { server, releases }: UpstreamsOf): boolean {
  return release === undefined || (releases.includes(release.digest) && release.servers.includes(server));
}

function keyOf({ tenantId, origin, release }: BreakerOf): string {
  const { digest, servers } = release ?? { digest: '', servers: [] };
  return `${tenantId} ${origin} ${digest} ${servers.toSorted().join(' ')}`;
}
