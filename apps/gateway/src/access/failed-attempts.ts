import { LRUCache } from 'lru-cache';
import { AppError } from '#libs/errors';

const ADDRESSES_MAX = 50_000;
const FAILURES_MAX = 60;
const WINDOW_MS = 60_000;

/** Counts refused credentials by address, so that guessing is slow. Credentials already known to be good are not held up. */
export class FailedAttempts {
  readonly #failures = new LRUCache<string, number>({ max: ADDRESSES_MAX, ttl: WINDOW_MS, noUpdateTTL: true });

  /** @throws AppError rate_limited when an address had too many credentials refused within a minute */
  requireFew(address: string): void {
    if ((this.#failures.get(address) ?? 0) < FAILURES_MAX) return;
    const leftMs = this.#failures.getRemainingTTL(address);
    throw new AppError('rate_limited', {
      message: 'Too many credentials from this address were refused. Wait before trying again.',
      retryAfterSeconds: Math.max(1, Math.ceil(leftMs / 1_000)),
    });
  }

  /** Counts one refused credential. */
  add(address: string): void {
    this.#failures.set(address, (this.#failures.get(address) ?? 0) + 1);
  }
}
