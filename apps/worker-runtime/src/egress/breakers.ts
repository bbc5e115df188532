import { LRUCache } from 'lru-cache';
import { circuitBreaker, isBreakerOpen } from '#libs/resilience';
import { UpstreamFailure } from './upstream-failure.js';

type Breaker = ReturnType<typeof circuitBreaker<[() => Promise<void>], void>>;

const BREAKERS_MAX = 5_000;
const OPEN_MS = 30_000;
/** Faults of the caller or of the request; they say nothing about the upstream's health. */
const HEALTHY = new Set(['blocked', 'aborted', 'too_large']);

/** Keeps calls away from an upstream that keeps failing: one breaker for each tenant and origin. */
export class Breakers {
  readonly #openMs: number;
  readonly #known = new LRUCache<string, { readonly breaker: Breaker; retryAtMs: number }>({
    max: BREAKERS_MAX,
    dispose: ({ breaker }) => breaker.shutdown(),
  });

  constructor(openMs = OPEN_MS) {
    this.#openMs = openMs;
  }

  /** Runs a request to an origin; it throws when the upstream failed. @throws UpstreamFailure open, without running it */
  async run(tenantId: string, origin: string, request: () => Promise<void>): Promise<void> {
    const known = this.#get(`${tenantId} ${origin}`);
    try {
      await known.breaker.fire(request);
    } catch (error) {
      if (!isBreakerOpen(error)) throw error;
      throw new UpstreamFailure('open', '', Math.max(known.retryAtMs, Date.now() + 1_000));
    }
  }

  /** Forgets every breaker and its timers. */
  close(): void {
    this.#known.clear();
  }

  #get(key: string) {
    const found = this.#known.get(key);
    if (found !== undefined) return found;
    const breaker: Breaker = circuitBreaker(key, (request: () => Promise<void>) => request(), {
      openMs: this.#openMs,
      ignore: (error) => error instanceof UpstreamFailure && HEALTHY.has(error.reason),
    });
    const made = { breaker, retryAtMs: 0 };
    breaker.on('open', () => {
      made.retryAtMs = Date.now() + this.#openMs;
    });
    this.#known.set(key, made);
    return made;
  }
}
