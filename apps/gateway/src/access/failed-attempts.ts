import { LRUCache } from 'lru-cache';
import { AppError } from '#libs/errors';

const COUNTED_MAX = 50_000;
const FAILURES_MAX = 60;
const WINDOW_MS = 60_000;

/**
 * Counts refused API keys by tenant and address, so that a flood of them does not become a flood at the database. One
 * address may be a whole cloud of agents: what somebody there gets wrong at one tenant holds up nobody at another.
 * Keys that were good when they were last looked up are not held up.
 */
export class FailedAttempts {
  readonly #failures = new LRUCache<string, number>({ max: COUNTED_MAX, ttl: WINDOW_MS, noUpdateTTL: true });

  /** @throws AppError rate_limited when an address had too many keys refused at a tenant within a minute */
  requireFew(tenantId: string, address: string): void {
    const key = `${tenantId}|${address}`;
    if ((this.#failures.get(key) ?? 0) < FAILURES_MAX) return;
    const leftMs = this.#failures.getRemainingTTL(key);
    throw new AppError('rate_limited', {
      message: 'Too many API keys from this address were refused. Wait before trying again.',
      retryAfterSeconds: Math.max(1, Math.ceil(leftMs / 1_000)),
      detail: { rule: 'refused_credentials.address' },
    });
  }

  /** Counts one refused key. */
  add(tenantId: string, address: string): void {
    const key = `${tenantId}|${address}`;
    this.#failures.set(key, (this.#failures.get(key) ?? 0) + 1);
  }
}
