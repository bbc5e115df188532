import { TenantAway } from './tenant-away.js';

const PLACE_MS = 5_000;
const RETRY_SECONDS = 5;

/**
 * Who may have a connection of the common database beside one of a dedicated database: half of the pool at once, and half of
 * that for one database. One that hangs in the middle, or at its commit, so leaves the other tenants' sign-ins most of it.
 */
export class SharedPlaces {
  readonly #most: number;
  readonly #mostOfOne: number;
  readonly #taken = new Map<string, number>();
  #all = 0;
  /** Who waits, the first that came first. */
  readonly #waiting = new Set<() => void>();

  constructor(poolSize: number) {
    this.#most = Math.max(1, Math.floor(poolSize / 2));
    this.#mostOfOne = Math.max(1, Math.floor(this.#most / 2));
  }

  /** Runs `work`, which holds a connection of each, in its turn. @throws TenantAway where that does not come in five seconds */
  async use<Result>(database: string, work: () => Promise<Result>): Promise<Result> {
    const until = performance.now() + PLACE_MS;
    while (this.#isFull(database)) {
      if (performance.now() >= until) throw awayError(database);
      await this.#freedOr(until);
    }
    this.#count(database, 1);
    try {
      return await work();
    } finally {
      this.#count(database, -1);
      for (const go of this.#waiting) go();
    }
  }

  #isFull(database: string): boolean {
    return this.#all >= this.#most || (this.#taken.get(database) ?? 0) >= this.#mostOfOne;
  }

  #count(database: string, more: 1 | -1): void {
    this.#all += more;
    const taken = (this.#taken.get(database) ?? 0) + more;
    if (taken === 0) this.#taken.delete(database);
    else this.#taken.set(database, taken);
  }

  #freedOr(until: number): Promise<void> {
    return new Promise((resolve) => {
      const go = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(go);
        resolve();
      };
      const timer = setTimeout(go, Math.max(0, until - performance.now()));
      this.#waiting.add(go);
    });
  }
}

function awayError(database: string): TenantAway {
  return new TenantAway('The tenant’s database does not answer at the moment. Try again shortly.', {
    database,
    retryAfterSeconds: RETRY_SECONDS,
    cause: new Error('as many of its transactions as may hold a connection of the common database are under way'),
  });
}
