import { createHash } from 'node:crypto';
import { isCluster, type RedisStore } from '#libs/redis';
import type { TenantKeys } from '../streams/tenant-keys.js';

/** Whose result it is: found again by the same principal at the same URL of the same tenant and nowhere else. */
export interface ResultOwner {
  readonly tenantId: string;
  readonly principal: string;
  /** The URL that was called. */
  readonly resource: string;
  readonly serverSlug: string;
}

/** How much is kept: of one tenant, of all together, and for how long. */
export interface ResultBounds {
  readonly tenantBytes: number;
  readonly allBytes: number;
  readonly seconds: number;
}

/** How long Redis may take for one, which is large. */
export const RESULT_MS = 5_000;

const PURPOSE = 'results';
const OF_TENANT_MAX = 256;
const EXPIRED_AT_ONCE = 1_000;

/**
 * Keeps a result, in place of the oldest of its principal, and then of its tenant, where that has as much as it may.
 * Returns 0, and changes nothing, where it does not fit or all tenants together have as much as they may.
 * KEYS: the tenant's index, all tenants' index, the bytes of all. ARGV: prefix of contents, name, bytes, content, how many
 * and how many bytes of the tenant, bytes of all, milliseconds, the beginning of the principal's names.
 */
const KEEP = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function sizeOf(name) return tonumber(string.match(name, '/(%d+)$')) end
local function contentOf(name) return ARGV[1] .. string.match(name, '/([^/]+)/') end
for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, ${EXPIRED_AT_ONCE})) do
  redis.call('ZREM', KEYS[2], name)
  redis.call('DECRBY', KEYS[3], sizeOf(name))
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local names = redis.call('ZRANGE', KEYS[1], 0, -1)
local size, bytes, left, freed, dropped = tonumber(ARGV[3]), 0, #names, 0, {}
for _, name in ipairs(names) do bytes = bytes + sizeOf(name) end
local function full() return left >= tonumber(ARGV[5]) or bytes + size > tonumber(ARGV[6]) end
for pass = 1, 2 do
  for _, name in ipairs(names) do
    if full() and not dropped[name] and (pass == 2 or string.sub(name, 1, #ARGV[9]) == ARGV[9]) then
      dropped[name] = true
      left, bytes, freed = left - 1, bytes - sizeOf(name), freed + sizeOf(name)
    end
  end
end
if full() or tonumber(redis.call('GET', KEYS[3]) or 0) - freed + size > tonumber(ARGV[7]) then return 0 end
for name in pairs(dropped) do
  redis.call('ZREM', KEYS[1], name)
  redis.call('ZREM', KEYS[2], ARGV[1] .. name)
  redis.call('DECRBY', KEYS[3], sizeOf(name))
  redis.call('UNLINK', contentOf(name))
end
redis.call('SET', contentOf(ARGV[2]), ARGV[4], 'PX', ARGV[8])
redis.call('ZADD', KEYS[1], now + ARGV[8], ARGV[2])
redis.call('ZADD', KEYS[2], now + ARGV[8], ARGV[1] .. ARGV[2])
redis.call('INCRBY', KEYS[3], size)
for at = 1, 3 do redis.call('PEXPIRE', KEYS[at], ARGV[8]) end
return 1`;

/** Redis with the script above as a command. */
type KeepingRedis = RedisStore & {
  keepResult(...keysAndArguments: ReadonlyArray<string | number | Buffer>): Promise<number>;
};

/**
 * Results in Redis that their callers read at any gateway, for minutes. Each is sealed with a key of its tenant, and with
 * tenant, principal, URL and server: to anybody else it is what is not there. They are copies, and may be lost.
 */
export class ResultStore {
  readonly #redis: KeepingRedis;
  /** In a Cluster all of them lie in one slot, as one bound is kept over all. */
  readonly #slot: string;

  constructor(
    redis: RedisStore,
    private readonly keys: TenantKeys,
  ) {
    redis.defineCommand('keepResult', { numberOfKeys: 3, lua: KEEP });
    this.#redis = redis as KeepingRedis; // the line above
    this.#slot = isCluster(redis) ? '{results}:' : '';
  }

  /** Keeps a result under an id; false where there is no room. @throws Error where Redis is away */
  async keep(owner: ResultOwner, id: string, content: Buffer, bounds: ResultBounds): Promise<boolean> {
    const keys = await this.keys.get(owner.tenantId, PURPOSE);
    const sealed = keys.seal(content, contextOf(owner, id));
    const own = `${digestOf(owner.principal)}/`;
    const kept = await this.#redis.keepResult(
      `${this.#slot}results:${owner.tenantId}`,
      `${this.#slot}results`,
      `${this.#slot}results:bytes`,
      this.#prefixOf(owner),
      `${own}${digestOf(id)}/${sealed.length}`,
      sealed.length,
      sealed,
      OF_TENANT_MAX,
      bounds.tenantBytes,
      bounds.allBytes,
      bounds.seconds * 1_000,
      own,
    );
    return kept === 1;
  }

  /** What is kept for this owner under an id. @throws Error where Redis is away */
  async find(owner: ResultOwner, id: string): Promise<Buffer | undefined> {
    const sealed = await this.#redis.getBuffer(`${this.#prefixOf(owner)}${digestOf(id)}`);
    if (sealed === null) return undefined;
    const keys = await this.keys.get(owner.tenantId, PURPOSE);
    try {
      return keys.open(sealed, contextOf(owner, id));
    } catch {
      return undefined; // somebody else's, or of another URL or server
    }
  }

  #prefixOf({ tenantId }: ResultOwner): string {
    return `${this.#slot}result:${tenantId}:`;
  }
}

function contextOf({ tenantId, principal, resource, serverSlug }: ResultOwner, id: string): string {
  return JSON.stringify(['result', tenantId, principal, resource, serverSlug, id]);
}

/** Names in Redis tell nobody who may read what, or by which address. */
function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
