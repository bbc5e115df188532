import { LRUCache } from 'lru-cache';
import { intervalUs, type Rate } from './rate.js';

const KEYS_MAX = 50_000;

/** Rates that this process alone counts, in bounded memory: a bucket that refills evenly (GCRA: one stored time). */
export class LocalRate {
  readonly #times = new LRUCache<string, number>({ max: KEYS_MAX });

  /** Takes one of `key`; returns 0, or the microseconds to wait before the next can be taken. */
  take(key: string, rate: Rate): number {
    const nowUs = Date.now() * 1_000;
    const after = Math.max(this.#times.get(key) ?? nowUs, nowUs) + intervalUs(rate);
    const waitUs = after - nowUs - rate.burst * intervalUs(rate);
    // The stored times are sums of fractions: less than a microsecond is rounding, not a wait.
    if (waitUs >= 1) return waitUs;
    this.#times.set(key, after);
    return 0;
  }

  /** Gives one of `key` back that was taken and not needed. */
  giveBack(key: string, rate: Rate): void {
    const time = this.#times.get(key);
    if (time !== undefined) this.#times.set(key, time - intervalUs(rate));
  }
}
