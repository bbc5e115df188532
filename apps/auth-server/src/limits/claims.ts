import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { RedisStore } from '#libs/redis';

const LOCAL_KEYS_MAX = 50_000;

/**
 * Claims a place among those of a key that have not lapsed; 0 where all are taken.
 * KEYS: the places. ARGV: whose claim, how many places, milliseconds until it lapses.
 */
const CLAIM = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return 1`;

/** Has a claim lapse at another time. KEYS: the places. ARGV: whose claim, milliseconds until it lapses. */
const KEEP = `
local time = redis.call('TIME')
redis.call('ZADD', KEYS[1], time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2], ARGV[1])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1`;

/** Redis with the scripts above as commands. */
type ClaimingRedis = RedisStore & {
  claimPlace(key: string, id: string, max: number, ms: number): Promise<number>;
  keepPlace(key: string, id: string, ms: number): Promise<number>;
};

/** So many places, of which each claim takes one. Only a hash of the key is stored. */
export interface Places {
  readonly key: string;
  readonly max: number;
}

/**
 * Places that are claimed for a while, in Redis for all instances together. Whoever ends without giving theirs back, as a
 * process that is killed, has it no longer than the claim was for. While Redis does not answer, each instance has all
 * places for itself.
 */
export class Claims {
  readonly #redis: ClaimingRedis;
  readonly #local = new LRUCache<string, Map<string, number>>({ max: LOCAL_KEYS_MAX });

  constructor(redis: RedisStore) {
    redis.defineCommand('claimPlace', { numberOfKeys: 1, lua: CLAIM });
    redis.defineCommand('keepPlace', { numberOfKeys: 1, lua: KEEP });
    this.#redis = redis as ClaimingRedis; // the lines above
  }

  /** Claims a place of each; false, with none of them claimed, where one has none left. */
  async claim(id: string, ms: number, ...all: readonly Places[]): Promise<boolean> {
    const claimed = await Promise.all(all.map((places) => this.#claim(id, ms, places)));
    if (claimed.every(Boolean)) return true;
    await this.release(id, ...all.filter((_, at) => claimed[at]));
    return false;
  }

  /** Keeps the places of a claim for so long from now, whether it has lapsed or not. */
  async keep(id: string, ms: number, ...all: readonly Places[]): Promise<void> {
    await Promise.all(
      all.map(async (places) => {
        const key = storedKey(places);
        this.#localOf(key).set(id, Date.now() + ms);
        await this.#redis.keepPlace(key, id, ms).catch(() => undefined);
      }),
    );
  }

  /** Gives the places of a claim back. */
  async release(id: string, ...all: readonly Places[]): Promise<void> {
    await Promise.all(
      all.map(async (places) => {
        const key = storedKey(places);
        this.#local.get(key)?.delete(id);
        await this.#redis.zrem(key, id).catch(() => undefined);
      }),
    );
  }

  async #claim(id: string, ms: number, places: Places): Promise<boolean> {
    const key = storedKey(places);
    const local = this.#localOf(key);
    const now = Date.now();
    for (const [other, untilMs] of local) if (untilMs <= now) local.delete(other);
    const free = local.size < places.max;
    const shared = await this.#redis.claimPlace(key, id, places.max, ms).catch(() => undefined);
    const claimed = shared === undefined ? free : shared === 1;
    if (claimed) local.set(id, now + ms);
    return claimed;
  }

  #localOf(key: string): Map<string, number> {
    const local = this.#local.get(key) ?? new Map<string, number>();
    this.#local.set(key, local);
    return local;
  }
}

function storedKey({ key }: Places): string {
  return `wharf:auth:claims:${createHash('sha256').update(key).digest('base64url')}`;
}
