import { LRUCache } from 'lru-cache';
import type { RedisStore } from '#libs/redis';
import { LocalRate } from './local-rate.js';
import { intervalUs, type Rate } from './rate.js';

const KEYS_MAX = 10_000;
const REST_MS = 1_000;
/** A lease that is not used up by then is forgotten. */
const LEASE_MS = 1_000;
/** Most that is taken at once: a share of the burst, and never more than so many. */
const LEASE_SHARE = 0.01;
const LEASE_MAX = 64;
/** A rate may be raised meanwhile. */
const FULL_MS_MAX = 1_000;

/**
 * A bucket that refills evenly (GCRA: one stored time, one round trip). Takes as many of the wanted as there are and
 * answers their number, or the microseconds to wait for one, as a negative number.
 */
const TAKE = `
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local interval = tonumber(ARGV[1])
local tat = tonumber(redis.call('GET', KEYS[1]) or now)
if tat < now then tat = now end
local free = math.floor((now + tonumber(ARGV[2]) - tat) / interval + 0.000001)
if free < 1 then return -math.ceil(tat + interval - now - tonumber(ARGV[2])) end
local taken = math.min(free, tonumber(ARGV[3]))
local after = tat + taken * interval
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000) + 1)
return taken`;

/** What was taken from the shared bucket and not used yet. */
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

/** Redis with the script above as a command: its text travels once, then its hash. */
type TakingRedis = RedisStore & {
  takeFromRate(key: string, intervalUs: number, burstUs: number, wanted: number): Promise<number>;
};

/**
 * As `SharedRate`, for what happens very often: a busy key is taken from Redis some at a time (a hundredth of its burst
 * at most), so that most takes ask nobody.
 */
export class LeasedRate {
  readonly #redis: TakingRedis;
  readonly #local = new LocalRate();
  readonly #leases = new LRUCache<string, Lease>({ max: KEYS_MAX });
  /** Keys that have nothing, as Redis said. */
  readonly #full = new LRUCache<string, Full>({ max: KEYS_MAX });
  readonly #asking = new Map<string, Promise<number>>();
  #restUntilMs = 0;

  constructor(redis: RedisStore) {
    redis.defineCommand('takeFromRate', { numberOfKeys: 1, lua: TAKE });
    this.#redis = redis as TakingRedis; // the line above
  }

  /** Takes one of `key`; returns 0, or the seconds to wait before the next can be taken. */
  async take(key: string, rate: Rate): Promise<number> {
    const nowMs = performance.now();
    const full = this.#full.get(key);
    if (full !== undefined && nowMs < full.askAtMs) return seconds((full.freeAtMs - nowMs) * 1_000);
    while (!this.#takeLeased(key)) {
      if (performance.now() < this.#restUntilMs) return seconds(this.#local.take(key, rate));
      try {
        const waitUs = await (this.#asking.get(key) ?? this.#ask(key, rate));
        if (waitUs > 0) return seconds(waitUs);
      } catch {
        this.#restUntilMs = performance.now() + REST_MS;
      }
    }
    return 0;
  }

  #takeLeased(key: string): boolean {
    const lease = this.#leases.get(key);
    if (lease === undefined || lease.left === 0 || lease.untilMs < performance.now()) return false;
    lease.left -= 1;
    return true;
  }

  /** Asks once for all who wait; they then take what came. Returns 0, or the microseconds to wait. */
  #ask(key: string, rate: Rate): Promise<number> {
    const asking = this.#lease(key, rate).finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    return asking;
  }

  async #lease(key: string, rate: Rate): Promise<number> {
    const size = this.#nextSize(key, rate);
    const interval = intervalUs(rate);
    const taken = await this.#redis.takeFromRate(`rate:{${key}}`, interval, rate.burst * interval, size);
    if (taken < 0) {
      const nowMs = performance.now();
      const waitMs = -taken / 1_000;
      this.#full.set(key, { freeAtMs: nowMs + waitMs, askAtMs: nowMs + Math.min(waitMs, FULL_MS_MAX) });
      return -taken;
    }
    this.#leases.set(key, { left: taken, size, untilMs: performance.now() + LEASE_MS });
    return 0;
  }

  /** One at first, so that nothing is taken for a key that is used now and then. */
  #nextSize(key: string, rate: Rate): number {
    const last = this.#leases.get(key);
    if (last === undefined || last.left > 0 || last.untilMs < performance.now()) return 1;
    return Math.max(1, Math.min(last.size * 2, LEASE_MAX, Math.floor(rate.burst * LEASE_SHARE)));
  }
}

function seconds(us: number): number {
  return Math.ceil(us / 1_000_000);
}
