import type { RedisStore } from '#libs/redis';

const REST_MS = 1_000;
/** A window is counted in so many parts, so it slides by a sixtieth of its length. */
const PARTS = 60;

/** Among a window's counts, when it was last found full: no part of a window has this number. */
const FULL_AT = -1;

/**
 * Looks at every window first and takes of each only when all have room: as many of the wanted as all have. A window is a hash
 * of counts by part, of which there are at most 61, and of when it was last full where it has a pace. Answers 0 and how many
 * were taken, or which window has none (from 1) and in how many milliseconds it will.
 */
const TAKE = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local full, wait, taken = 0, 0, tonumber(ARGV[#ARGV])
for i, key in ipairs(KEYS) do
  local quota, window, pace = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  local part = window / ${PARTS}
  local current = math.floor(now / part)
  local kept, used, fresh, emptied = redis.call('HGETALL', key), 0, 0, -math.huge
  local counts = {}
  for at = 1, #kept, 2 do
    local slot, count = tonumber(kept[at]), tonumber(kept[at + 1])
    if slot == ${FULL_AT} then emptied = count
    elseif slot <= current - ${PARTS} then redis.call('HDEL', key, kept[at])
    else
      used = used + count
      counts[#counts + 1] = { slot, count }
      if slot == current then fresh = count end
    end
  end
  local left, ms = quota - used, 0
  if left <= 0 then
    table.sort(counts, function(one, other) return one[1] < other[1] end)
    local free = 0
    for _, each in ipairs(counts) do
      used = used - each[2]
      free = each[1]
      if used < quota then break end
    end
    ms = math.ceil((free + ${PARTS} + 1) * part - now)
    if pace > 0 then redis.call('HSET', key, ${FULL_AT}, string.format('%.0f', now)) end
  elseif pace > 0 and now - emptied < window then
    left = math.min(left, pace - fresh)
    if left <= 0 then ms = math.ceil((current + 1) * part - now) end
  end
  if left > 0 then taken = math.min(taken, left)
  elseif ms > wait then full, wait = i, ms
  end
end
if full > 0 then return { full, wait } end
for i, key in ipairs(KEYS) do
  local window = tonumber(ARGV[3 * i - 1])
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
  /**
   * Most of it that is given in a sixtieth of the window, for the length of a window after it was found full: who has used it up
   * gets what is free again bit by bit, and not all at once with every window.
   */
  readonly pace?: number;
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
        ...asked.flatMap(({ quota, windowSeconds, pace = 0 }) => [quota, windowSeconds * 1_000, pace]),
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
