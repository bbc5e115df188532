import { createHash, randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { AppError } from '#libs/errors';
import type { RouteBinding } from '#libs/protocol';

/** A session of the 2025 era: to whom and where it belongs, and the releases it stays on. */
export interface Session {
  readonly tenantId: string;
  /** The tenant URL it was opened at. */
  readonly resource: string;
  /** The principal that opened it; nobody else may use it. */
  readonly principalBinding: string;
  readonly route: RouteBinding;
}

/** Whose a session is. */
export type SessionOwner = Pick<Session, 'tenantId' | 'principalBinding'>;

interface RememberedSession {
  readonly session: Session;
  touchedMs: number;
}

const IDLE_SECONDS = 3_600;
const TOUCH_MS = 60_000;
const LOCAL_MAX = 20_000;
const SESSIONS_OF_PRINCIPAL_MAX = 100;

/**
 * Lists a session with its principal's and takes off the list those that are too many, unused for longest first. In one
 * step, so that sessions opened at the same moment do not each end what is too many for all of them.
 */
const LIST = `
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
local excess = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[4])
if excess <= 0 then return {} end
local ended = {}
local popped = redis.call('ZPOPMIN', KEYS[1], excess)
for i = 1, #popped, 2 do ended[#ended + 1] = popped[i] end
return ended`;

/** Redis with the script above as a command. */
interface ListingRedis extends Redis {
  listSession(key: string, usedMs: number, id: string, seconds: number, most: number): Promise<string[]>;
}

/**
 * Which sessions exist, for every gateway. An hour without use ends one. Redis may lose them: the client is then told
 * that its session is gone and opens another.
 */
export class SessionDirectory {
  readonly #local = new LRUCache<string, RememberedSession>({
    max: LOCAL_MAX,
    ttl: IDLE_SECONDS * 1_000,
    updateAgeOnGet: true,
  });

  private readonly redis: ListingRedis;

  constructor(redis: Redis) {
    redis.defineCommand('listSession', { numberOfKeys: 1, lua: LIST });
    this.redis = redis as ListingRedis; // the line above
  }

  /** An id for a session to come: 256 random bits. */
  static newSessionId(): string {
    return randomBytes(32).toString('base64url');
  }

  /** Enters a session. While Redis is away only this gateway knows it. */
  async open(id: string, session: Session): Promise<void> {
    this.#local.set(id, { session, touchedMs: Date.now() });
    await this.redis.set(sessionKey(id), JSON.stringify(session), 'EX', IDLE_SECONDS).catch(() => undefined);
    await this.#endUnusedOf(session, id).catch(() => undefined);
  }

  /**
   * The session with this id, for its own principal at its own URL.
   * @throws AppError session_not_found in every other case, word for word the same; unavailable
   */
  async getSession(id: string, caller: Omit<Session, 'route'>): Promise<Session> {
    const session = (await this.#findLocal(id)) ?? (await this.#findShared(id));
    const own =
      session?.tenantId === caller.tenantId &&
      session.resource === caller.resource &&
      session.principalBinding === caller.principalBinding;
    if (session === undefined || !own) throw new AppError('session_not_found');
    return session;
  }

  /** Ends a session of this principal. */
  async end(id: string, owner: SessionOwner): Promise<void> {
    await this.#forget(id);
    await this.redis.zrem(sessionsKey(owner), id).catch(() => undefined);
  }

  async #forget(id: string): Promise<void> {
    this.#local.delete(id);
    await this.redis.del(sessionKey(id)).catch(() => undefined);
  }

  async #findLocal(id: string): Promise<Session | undefined> {
    const remembered = this.#local.get(id);
    if (remembered === undefined) return undefined;
    if (Date.now() - remembered.touchedMs < TOUCH_MS) return remembered.session;
    remembered.touchedMs = Date.now();
    // Ended at another gateway or evicted: then it is gone here too. Away: what is remembered here counts.
    const alive = await this.redis.expire(sessionKey(id), IDLE_SECONDS).catch(() => 1);
    if (alive === 1) {
      await this.redis.zadd(sessionsKey(remembered.session), 'XX', Date.now(), id).catch(() => undefined);
      return remembered.session;
    }
    this.#local.delete(id);
    return undefined;
  }

  async #findShared(id: string): Promise<Session | undefined> {
    const text = await this.redis.getex(sessionKey(id), 'EX', IDLE_SECONDS).catch((error: unknown) => {
      throw new AppError('unavailable', { cause: error, retryAfterSeconds: 2 });
    });
    if (text === null) return undefined;
    const session = JSON.parse(text) as Session; // only gateways write these keys
    this.#local.set(id, { session, touchedMs: Date.now() });
    return session;
  }

  /** Ends the sessions of a principal that were unused for longest, beyond its share. */
  async #endUnusedOf(owner: SessionOwner, id: string): Promise<void> {
    const key = sessionsKey(owner);
    const ended = await this.redis.listSession(key, Date.now(), id, IDLE_SECONDS * 24, SESSIONS_OF_PRINCIPAL_MAX);
    for (const unused of ended) await this.#forget(unused);
  }
}

function sessionsKey({ tenantId, principalBinding }: SessionOwner): string {
  const digest = createHash('sha256').update(`${tenantId}|${principalBinding}`).digest('base64url');
  return `sessions-of:${digest}`;
}

function sessionKey(id: string): string {
  return `session:${id}`;
}
