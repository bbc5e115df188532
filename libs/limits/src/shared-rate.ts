import type { RedisStore } from '#libs/redis';
import { LocalRate } from './local-rate.js';
import { intervalUs, type Rate } from './rate.js';

const REST_MS = 1_000;

/** A bucket that refills evenly (GCRA: one stored time, one round trip). Answers 0, or the microseconds to wait. */
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

/** Rates counted in Redis for all processes together, and by this one alone while Redis is away. */
export class SharedRate {
  readonly #local = new LocalRate();
  #restUntilMs = 0;

  constructor(private readonly redis: RedisStore) {}

  /** Takes one of `key`; returns 0, or the seconds to wait before the next can be taken. */
  async take(key: string, rate: Rate): Promise<number> {
    const waitUs = await this.#takeShared(key, rate);
    return Math.ceil(waitUs / 1_000_000);
  }

  async #takeShared(key: string, rate: Rate): Promise<number> {
    if (performance.now() < this.#restUntilMs) return this.#local.take(key, rate);
    try {
      const interval = intervalUs(rate);
      return Number(await this.redis.eval(TAKE, 1, `rate:{${key}}`, interval, rate.burst * interval));
    } catch {
      this.#restUntilMs = performance.now() + REST_MS;
      return this.#local.take(key, rate);
    }
  }
}
