import type { RedisStore } from '#libs/redis';

const REST_MS = 1_000;
/** A window is counted in so many parts, so it slides by a sixtieth of its length. */
const PARTS = 60;

/**
 * Looks at every window first and takes of each only when all have room: as many of the wanted as all have. A window is a hash
 * of counts by part, of which there are at most 61. Answers 0 and how many were taken, or which window has none (from 1) and
 * in how many milliseconds it will.
 */
const TAKE = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local full, wait, taken = 0, 0, tonumber(ARGV[#ARGV])
for i, key in ipairs(KEYS) do
  local quota, part = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i]) / ${PARTS}
  local first = math.floor(now / part) - ${PARTS}
  local kept, used = redis.call('HGETALL', key), 0
  local counts = {}
  for at = 1, #kept, 2 do
    local slot, count = tonumber(kept[at]), tonumber(kept[at + 1])
    if slot <= first then redis.call('HDEL', key, kept[at])
    else used = used + count; counts[#counts + 1] = { slot, count } end
  end
  if used >= quota then
    table.sort(counts, function(left, right) return left[1] < right[1] end)
    local free = 0
    for _, each in ipairs(counts) do
      used = used - each[2]
      free = each[1]
      if used < quota then break end
    end
    local ms = math.ceil((free + ${PARTS} + 1) * part - now)
    if ms > wait then full, wait = i, ms end
  else taken = math.min(taken, quota - used)
  end
end
if full > 0 then return { full, wait } end
for i, key in ipairs(KEYS) do
  local window = tonumber(ARGV[2 * i])
  redis.call('HINCRBY', key, string.format('%.0f', math.floor(now / (window / ${PARTS}))), taken)
  redis.call('PEXPIRE', key, math.ceil(window + window / ${PARTS}))
end
return { 0, taken }`;

/** So many in any time of that length. */
export interface Quota {
  readonly quota: number;
  readonly windowSeconds: number;
}

/** A quota that is counted under a name within its group. */
export interface CountedQuota extends Quota {
  readonly key: string;
}

/** What came of asking for some of each of several quotas. */
export type Taken<Asked extends CountedQuota> =
  | { readonly kind: 'taken'; readonly count: number }
  | { readonly kind: 'full'; readonly by: Asked; readonly waitSeconds: number }
  /** Nobody can count at the moment. */
  | { readonly kind: 'unknown' };

/** Redis with the script above as a command: its text travels once, then its hash. */
type WindowRedis = RedisStore & {
  takeFromWindows(keys: number, ...keysAndArguments: Array<string | number>): Promise<[number, number]>;
};

/** Quotas over sliding windows, counted in Redis for all processes together. */
export class SlidingWindows {
  readonly #redis: WindowRedis;
  #restUntilMs = 0;

  constructor(redis: RedisStore) {
    redis.defineCommand('takeFromWindows', { lua: TAKE });
    this.#redis = redis as WindowRedis; // the line above
  }

  /**
   * Takes some of each quota, `wanted` at most, or of none where one of them is full: in one round trip, as all of a group lie
   * together in Redis. `group` is whose they are, such as a tenant's id.
   */
  async take<Asked extends CountedQuota>(group: string, asked: readonly Asked[], wanted = 1): Promise<Taken<Asked>> {
    if (performance.now() < this.#restUntilMs) return { kind: 'unknown' };
    try {
      const [full, told] = await this.#redis.takeFromWindows(
        asked.length,
        ...asked.map(({ key }) => `window:{${group}}:${key}`),
        ...asked.flatMap(({ quota, windowSeconds }) => [quota, windowSeconds * 1_000]),
        wanted,
      );
      const by = asked[full - 1];
      return by === undefined
        ? { kind: 'taken', count: told }
        : { kind: 'full', by, waitSeconds: Math.ceil(told / 1_000) };
    } catch {
      this.#restUntilMs = performance.now() + REST_MS;
      return { kind: 'unknown' };
    }
  }
}
