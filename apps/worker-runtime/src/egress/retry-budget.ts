import { LRUCache } from 'lru-cache';

const ORIGINS_MAX = 5_000;
const PER_CALL = 0.1;
const PER_SECOND = 1;
const SAVED_MAX = 10;

interface Account {
  saved: number;
  atMs: number;
}

/**
 * How many retries a tenant's calls of one origin may add: one for every ten calls and one a second, of which ten may
 * be saved up. A broken upstream is then asked a tenth more than usual and not a multiple of it.
 */
export class RetryBudget {
  readonly #accounts = new LRUCache<string, Account>({ max: ORIGINS_MAX });

  /** Counts a call. */
  earn(key: string, nowMs = Date.now()): void {
    const account = this.#at(key, nowMs);
    account.saved = Math.min(SAVED_MAX, account.saved + PER_CALL);
  }

  /** Spends one retry; false when there is none left. */
  spend(key: string, nowMs = Date.now()): boolean {
    const account = this.#at(key, nowMs);
    if (account.saved < 1) return false;
    account.saved -= 1;
    return true;
  }

  #at(key: string, nowMs: number): Account {
    const account = this.#accounts.get(key) ?? { saved: PER_SECOND, atMs: nowMs };
    account.saved = Math.min(SAVED_MAX, account.saved + ((nowMs - account.atMs) / 1_000) * PER_SECOND);
    account.atMs = nowMs;
    this.#accounts.set(key, account);
    return account;
  }
}
