import { LRUCache } from 'lru-cache';
import type { Redis } from 'ioredis';

const MINUTE_US = 60_000_000;
const LOCAL_MAX = 10_000;
const REST_MS = 1_000;

/**
 * A bucket that holds a minute's calls and refills evenly (GCRA: one stored time, one round trip). Answers 0, or the
 * microseconds to wait.
 */
const TAKE = `
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local tat = tonumber(redis.call('GET', KEYS[1]) or now)
if tat < now then tat = now end
local after = tat + tonumber(ARGV[1])
local wait = after - now - tonumber(ARGV[2])
if wait > 0 then return math.ceil(wait) end
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000) + 1)
return 0`;

/** Calls in a minute, counted for all gateways in Redis, and for this one alone while Redis is away. */
export class CallRate {
  readonly #local = new LRUCache<string, number>({ max: LOCAL_MAX });
  #restUntilMs = 0;

  constructor(private readonly redis: Redis) {}

  /** Takes one call of `key`; returns 0, or the seconds to wait before the next can be taken. */
  async take(key: string, callsPerMinute: number): Promise<number> {
    const waitUs = await this.#takeShared(key, callsPerMinute);
    return Math.ceil(waitUs / 1_000_000);
  }

  async #takeShared(key: string, callsPerMinute: number): Promise<number> {
    if (performance.now() < this.#restUntilMs) return this.#takeLocal(key, callsPerMinute);
    try {
      return Number(await this.redis.eval(TAKE, 1, `rate:{${key}}`, MINUTE_US / callsPerMinute, MINUTE_US));
    } catch {
      this.#restUntilMs = performance.now() + REST_MS;
      return this.#takeLocal(key, callsPerMinute);
    }
  }

  #takeLocal(key: string, callsPerMinute: number): number {
    const nowUs = Date.now() * 1_000;
    const after = Math.max(this.#local.get(key) ?? nowUs, nowUs) + MINUTE_US / callsPerMinute;
    const waitUs = after - nowUs - MINUTE_US;
    if (waitUs > 0) return waitUs;
    this.#local.set(key, after);
    return 0;
  }
}
