import { LRUCache } from 'lru-cache';
import type { RedisStore } from '#libs/redis';
import { LocalWindows } from './local-windows.js';
import { SlidingWindows, type Quota } from './sliding-windows.js';

const KEYS_MAX = 10_000;
/** A lease that is not used up by then is forgotten. */
const LEASE_MS = 1_000;
/** Most that is taken at once: a share of the quota, and never more than so many. */
const LEASE_SHARE = 0.01;
const LEASE_MAX = 64;
/** A quota may be raised meanwhile. */
const FULL_MS_MAX = 1_000;
/** What a key that was used up gets in a sixtieth of its window: what it would have if it took evenly, so all of it in the end. */
const PACE_SHARE = 1 / 60;
const PACE_MIN = 10;

/** What was taken from the shared window and not used yet. */
interface Lease {
  left: number;
  /** How much it was: a lease that is used up in time is followed by one twice as large. */
  readonly size: number;
  /** From `performance.now()`. */
  readonly untilMs: number;
}

/** When a key has something again, and when Redis is asked again at the earliest: in ms of `performance.now()`. */
interface Full {
  readonly freeAtMs: number;
  readonly askAtMs: number;
}

/** What is done while nobody can count for all processes together: each counts for itself, or nothing is given. */
export type WhenUncertain = 'allow' | 'refuse';

/** A quota is used up. */
export interface UsedUp {
  /** Whole seconds to wait. */
  readonly waitSeconds: number;
  /** Until then this process gives the same answer whoever asks, from `performance.now()`. */
  readonly sureUntilMs: number;
}

/** What came of asking for one; `unknown` where nobody can count and that refuses. */
export type QuotaVerdict = 'taken' | 'unknown' | UsedUp;

/**
 * A quota over a sliding window, for what happens very often: a busy key is taken from Redis some at a time (a hundredth of its
 * quota at most), so that most takes ask nobody. Who has used it up gets what is free again bit by bit, for otherwise everybody else
 * would meet the same rush once in every window. Where Redis is away, this process goes on from what it has taken itself.
 */
export class LeasedQuota {
  readonly #shared: SlidingWindows;
  readonly #local = new LocalWindows();
  readonly #leases = new LRUCache<string, Lease>({ max: KEYS_MAX });
  /** Keys that have nothing, as Redis said. */
  readonly #full = new LRUCache<string, Full>({ max: KEYS_MAX });
  readonly #asking = new Map<string, Promise<'taken' | 'full' | 'unknown'>>();

  constructor(redis: RedisStore) {
    this.#shared = new SlidingWindows(redis);
  }

  /** Takes one of `key`. */
  async take(key: string, quota: Quota, whenUncertain: WhenUncertain = 'allow'): Promise<QuotaVerdict> {
    for (;;) {
      const nowMs = performance.now();
      const full = this.#full.get(key);
      if (full !== undefined && nowMs < full.askAtMs) return usedUp(full.freeAtMs - nowMs, full.askAtMs);
      if (this.#takeLeased(key, nowMs)) return 'taken';
      const asked = await (this.#asking.get(key) ?? this.#ask(key, quota));
      if (asked === 'unknown') return this.#takeAlone(key, quota, whenUncertain);
    }
  }

  #takeLeased(key: string, nowMs: number): boolean {
    const lease = this.#leases.get(key);
    if (lease === undefined || lease.left === 0 || lease.untilMs < nowMs) return false;
    lease.left -= 1;
    return true;
  }

  #takeAlone(key: string, quota: Quota, whenUncertain: WhenUncertain): QuotaVerdict {
    if (whenUncertain === 'refuse') return 'unknown';
    const waitMs = this.#local.take(key, quota);
    // Whoever counts for all may be back at any moment.
    return waitMs === 0 ? 'taken' : usedUp(waitMs, 0);
  }

  /** Asks once for all who wait; they then take what came. */
  #ask(key: string, quota: Quota): Promise<'taken' | 'full' | 'unknown'> {
    const asking = this.#lease(key, quota).finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    return asking;
  }

  async #lease(key: string, quota: Quota): Promise<'taken' | 'full' | 'unknown'> {
    const size = this.#nextSize(key, quota);
    const taken = await this.#shared.take(key, [{ ...quota, key: 'calls', pace: paceOf(quota) }], size);
    const nowMs = performance.now();
    if (taken.kind === 'full') {
      const waitMs = taken.waitSeconds * 1_000;
      this.#full.set(key, { freeAtMs: nowMs + waitMs, askAtMs: nowMs + Math.min(waitMs, FULL_MS_MAX) });
    }
    if (taken.kind === 'taken') {
      this.#local.note(key, quota, taken.count);
      this.#leases.set(key, { left: taken.count, size, untilMs: nowMs + LEASE_MS });
    }
    return taken.kind;
  }

  /** One at first, so that nothing is taken for a key that is used now and then. */
  #nextSize(key: string, { quota }: Quota): number {
    const last = this.#leases.get(key);
    if (last === undefined || last.left > 0 || last.untilMs < performance.now()) return 1;
    return Math.max(1, Math.min(last.size * 2, LEASE_MAX, Math.floor(quota * LEASE_SHARE)));
  }
}

function paceOf({ quota }: Quota): number {
  return Math.max(PACE_MIN, Math.ceil(quota * PACE_SHARE));
}

function usedUp(waitMs: number, sureUntilMs: number): UsedUp {
  return { waitSeconds: Math.max(1, Math.ceil(waitMs / 1_000)), sureUntilMs };
}
