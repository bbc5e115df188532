import { LRUCache } from 'lru-cache';

const ROUTES_MAX = 10_000;
const CRASHES_FREE = 2;
const DELAY_MS_MAX = 30_000;
/** A route whose last crash is this long ago starts afresh. */
const FORGET_MS = 60_000;

/** Slows down the replacement of workers that crash again and again: after two, waits of 1 s, 2 s, 4 s … 30 s. */
export class CrashBackoff {
  readonly #crashes = new LRUCache<string, { readonly count: number; readonly untilMs: number }>({
    max: ROUTES_MAX,
    ttl: FORGET_MS,
  });

  /** Notes a crash. */
  crashed(key: string, nowMs: number): void {
    const count = (this.#crashes.get(key)?.count ?? 0) + 1;
    const delayMs = count <= CRASHES_FREE ? 0 : Math.min(1_000 * 2 ** (count - CRASHES_FREE - 1), DELAY_MS_MAX);
    this.#crashes.set(key, { count, untilMs: nowMs + delayMs });
  }

  /** Milliseconds until a route may have a worker again; 0 when it may now. */
  waitMs(key: string, nowMs: number): number {
    return Math.max(0, (this.#crashes.get(key)?.untilMs ?? 0) - nowMs);
  }
}
