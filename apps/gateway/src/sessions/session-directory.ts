import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { sessionKey, sessionsOfKey, type RouteBinding } from '#libs/protocol';
import { isCluster, type RedisStore } from '#libs/redis';
import type { SessionCaller } from './session-ids.js';

/** A session of the 2025 era: to whom and where it belongs, where its worker is, and the releases it stays on. */
export interface Session extends SessionCaller {
  readonly route: RouteBinding;
  /** The worker-runtime that holds it (`RuntimeClient.placeOf`). */
  readonly runtime: string;
}

/** Whose a session is. */
export type SessionOwner = Pick<Session, 'tenantId' | 'principalBinding'>;

/** What the tenant's plan gives its sessions. */
export interface SessionLimits {
  readonly sessions: number;
  readonly clientSessions: number;
  readonly sessionIdleSeconds: number;
}

interface RememberedSession {
  readonly session: Session;
  readonly idleSeconds: number;
  touchedMs: number;
}

const TOUCH_MS_MAX = 60_000;
const LOCAL_MAX = 20_000;
const EPOCH_KEY = 'sessions:epoch';
/** Longer than any session rests: one whose epoch is gone is looked for at its worker, as if Redis had lost it. */
const EPOCH_SECONDS = 30 * 24 * 60 * 60;

/**
 * Lists a session with its tenant's and its principal's and takes off the lists those that are too many, unused for
 * longest first. In one step, so that sessions opened at the same moment do not each end what is too many for all.
 */
const LIST = `
local ended = {}
for i = 1, 2 do
  redis.call('ZADD', KEYS[i], ARGV[1], ARGV[2])
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', '(' .. (tonumber(ARGV[1]) - tonumber(ARGV[3]) * 1000))
  redis.call('EXPIRE', KEYS[i], ARGV[3])
  local excess = redis.call('ZCARD', KEYS[i]) - tonumber(ARGV[3 + i])
  if excess > 0 then
    local popped = redis.call('ZPOPMIN', KEYS[i], excess)
    for j = 1, #popped, 2 do
      ended[#ended + 1] = popped[j]
      redis.call('ZREM', KEYS[3 - i], popped[j])
    end
  end
end
return ended`;

/** Redis with the script above as a command. */
type ListingRedis = RedisStore & {
  listSession(...keysAndArguments: ReadonlyArray<string | number>): Promise<string[]>;
};

/**
 * What is known of an id: its session, that it is somebody else's, or nothing. Ids of sessions that name the same epoch
 * as a `missing` are of sessions that have ended; without one, Redis is away.
 */
export type Finding =
  | { readonly kind: 'found'; readonly session: Session }
  | { readonly kind: 'foreign' }
  | { readonly kind: 'missing'; readonly epoch?: string };

/**
 * Which sessions exist, for every gateway. A time without use ends one, as the tenant's plan says. Redis may lose them:
 * what it has lost is told from what has ended by the epoch that stands in each id and in Redis.
 */
export class SessionDirectory {
  readonly #local = new LRUCache<string, RememberedSession>({ max: LOCAL_MAX, updateAgeOnGet: true, ttl: 1 });
  private readonly redis: ListingRedis;

  constructor(redis: RedisStore) {
    redis.defineCommand('listSession', { numberOfKeys: 2, lua: LIST });
    this.redis = redis as ListingRedis; // the line above
  }

  /**
   * Names the present content of Redis, or of the node of a Cluster that holds a tenant's sessions. It changes when that
   * was emptied: the next one is never one that was before.
   */
  async epoch(tenantId: string): Promise<string> {
    const next = randomBytes(8).toString('hex');
    const set = isCluster(this.redis)
      ? this.redis.set(`sessions:{${tenantId}}:epoch`, next, 'EX', EPOCH_SECONDS, 'NX', 'GET')
      : this.redis.set(EPOCH_KEY, next, 'NX', 'GET');
    return (await set.catch(() => null)) ?? next;
  }

  /** Enters a session. While Redis is away only this gateway knows it. */
  async open(id: string, session: Session, limits: SessionLimits): Promise<void> {
    const { sessionIdleSeconds: idle } = limits;
    this.#remember(id, session, idle);
    await this.redis.set(sessionKey(session.tenantId, id), JSON.stringify(session), 'EX', idle).catch(() => undefined);
    await this.#endUnusedOf(session, id, limits).catch(() => undefined);
  }

  /** The session with this id, for its own principal at its own URL. */
  async find(id: string, caller: SessionCaller, limits: SessionLimits): Promise<Finding> {
    const local = await this.#findLocal(id);
    const finding: Finding =
      local === undefined ? await this.#findShared(id, caller.tenantId, limits) : { kind: 'found', session: local };
    if (finding.kind !== 'found') return finding;
    const { session } = finding;
    const own =
      session.tenantId === caller.tenantId &&
      session.resource === caller.resource &&
      session.principalBinding === caller.principalBinding;
    return own ? finding : { kind: 'foreign' };
  }

  /** Counts a session as used, as long as something of it goes on. */
  async keep(id: string): Promise<void> {
    await this.#findLocal(id);
  }

  /** Looks in Redis again before the next use of a tenant's sessions (`*`: of all), for somebody may have ended one. */
  doubt(tenantId: string): void {
    for (const remembered of this.#local.values()) {
      if (tenantId === '*' || remembered.session.tenantId === tenantId) remembered.touchedMs = 0;
    }
  }

  /** Ends a session of this principal. */
  async end(id: string, owner: SessionOwner): Promise<void> {
    await this.#forget(owner.tenantId, id);
    await Promise.all(listKeys(owner).map((key) => this.redis.zrem(key, id).catch(() => undefined)));
  }

  #remember(id: string, session: Session, idleSeconds: number): void {
    this.#local.set(id, { session, idleSeconds, touchedMs: Date.now() }, { ttl: idleSeconds * 1_000 });
  }

  async #forget(tenantId: string, id: string): Promise<void> {
    this.#local.delete(id);
    await this.redis.del(sessionKey(tenantId, id)).catch(() => undefined);
  }

  async #findLocal(id: string): Promise<Session | undefined> {
    const remembered = this.#local.get(id);
    if (remembered === undefined) return undefined;
    const { session, idleSeconds, touchedMs } = remembered;
    if (Date.now() - touchedMs < Math.min(TOUCH_MS_MAX, idleSeconds * 250)) return session;
    remembered.touchedMs = Date.now();
    // Ended at another gateway or evicted: then it is gone here too. Away: what is remembered here counts.
    const alive = await this.redis.expire(sessionKey(session.tenantId, id), idleSeconds).catch(() => 1);
    if (alive === 1) {
      for (const key of listKeys(session)) await this.redis.zadd(key, 'XX', Date.now(), id).catch(() => undefined);
      return session;
    }
    this.#local.delete(id);
    return undefined;
  }

  async #findShared(id: string, tenantId: string, { sessionIdleSeconds: idle }: SessionLimits): Promise<Finding> {
    try {
      const text = await this.redis.getex(sessionKey(tenantId, id), 'EX', idle);
      if (text === null) return { kind: 'missing', epoch: await this.epoch(tenantId) };
      const session = JSON.parse(text) as Session; // only gateways write these keys
      this.#remember(id, session, idle);
      return { kind: 'found', session };
    } catch {
      return { kind: 'missing' };
    }
  }

  /** Ends sessions that were unused for longest, beyond the share of their principal or their tenant. */
  async #endUnusedOf(owner: SessionOwner, id: string, limits: SessionLimits): Promise<void> {
    const { sessions, clientSessions, sessionIdleSeconds: idle } = limits;
    const ended = await this.redis.listSession(...listKeys(owner), Date.now(), id, idle, clientSessions, sessions);
    for (const unused of ended) await this.#forget(owner.tenantId, unused);
  }
}

/** The sessions of a principal, and of its whole tenant. */
function listKeys({ tenantId, principalBinding }: SessionOwner): [string, string] {
  return [sessionsOfKey(tenantId, principalBinding), sessionsOfKey(tenantId)];
}
