import { createHash } from 'node:crypto';
import type { RedisStore } from '#libs/redis';
import { EventNews } from './event-news.js';
import type { TenantKeys } from './tenant-keys.js';

/** Whose events these are. */
export interface EventOwner {
  readonly tenantId: string;
  readonly sessionId: string;
}

/** An event of a stream. `begin` opens it and has no message; nothing follows `last` and `end`, which has none either. */
export interface StreamEvent {
  readonly stream: string;
  readonly number: number;
  readonly kind: 'begin' | 'message' | 'last' | 'end';
  readonly message: Buffer;
}

/** How much of a session is kept. */
export interface EventBounds {
  readonly events: number;
  readonly bytes: number;
  readonly seconds: number;
}

/** What a read found, and from where to go on. */
export interface EventsRead {
  readonly events: readonly StreamEvent[];
  /** Of the last event in Redis, whichever stream it is of; `-` where there is none. */
  readonly cursor: string;
}

const PURPOSE = 'events';

/** Adds an event and takes out the oldest until count and bytes are within bounds. KEYS: events, their bytes. */
const ADD = `
redis.call('XADD', KEYS[1], '*', 's', ARGV[1], 'n', ARGV[2], 'k', ARGV[3], 'm', ARGV[4])
local bytes = redis.call('INCRBY', KEYS[2], #ARGV[4])
local count = redis.call('XLEN', KEYS[1])
while count > tonumber(ARGV[5]) or (bytes > tonumber(ARGV[6]) and count > 1) do
  local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
  redis.call('XDEL', KEYS[1], first[1])
  bytes = redis.call('DECRBY', KEYS[2], #first[2][8])
  count = count - 1
end
redis.call('EXPIRE', KEYS[1], ARGV[7])
redis.call('EXPIRE', KEYS[2], ARGV[7])
redis.call('PUBLISH', KEYS[1], '')
return count`;

/** Redis with the script above as a command. */
type AddingRedis = RedisStore & {
  addEvent(...keysAndArguments: ReadonlyArray<string | number | Buffer>): Promise<number>;
};

/**
 * Events of sessions' streams in Redis, so that a client that lost a stream can go on with it at any gateway. Each
 * session's are a ring of its own, bounded in count, bytes and time; messages are encrypted under a key of the tenant,
 * and tenant, session and place are authenticated with them. While Redis is away nothing is kept.
 */
export class EventStore {
  readonly #redis: AddingRedis;
  readonly #news: EventNews;

  constructor(
    redis: RedisStore,
    private readonly keys: TenantKeys,
    private readonly bounds: EventBounds,
  ) {
    redis.defineCommand('addEvent', { numberOfKeys: 2, lua: ADD });
    this.#redis = redis as AddingRedis; // the line above
    this.#news = new EventNews(redis);
  }

  /** Keeps an event; false where it could not be. Events that are added one after the other are kept in that order. */
  async add(owner: EventOwner, event: StreamEvent): Promise<boolean> {
    const { events, bytes, seconds } = this.bounds;
    const { stream, number, kind, message } = event;
    try {
      const keys = await this.keys.get(owner.tenantId, PURPOSE);
      const sealed = keys.seal(message, contextOf(owner, event));
      if (sealed.length > bytes) return false;
      const name = nameOf(owner);
      await this.#redis.addEvent(name, `${name}:bytes`, stream, number, kind, sealed, events, bytes, seconds);
      return true;
    } catch {
      return false;
    }
  }

  /** The events of a stream after a cursor. @throws Error where Redis is away, or they were sealed under another key */
  async read(owner: EventOwner, stream: string, cursor: string): Promise<EventsRead> {
    const rows = await this.#redis.xrangeBuffer(nameOf(owner), cursor === '-' ? '-' : `(${cursor}`, '+');
    const keys = await this.keys.get(owner.tenantId, PURPOSE);
    const events: StreamEvent[] = [];
    for (const [, [, ofStream, , number, , kind, , sealed]] of rows) {
      if (ofStream?.toString() !== stream || sealed === undefined) continue;
      const place = { stream, number: Number(number), kind: kind?.toString() as StreamEvent['kind'] }; // only gateways write these keys
      events.push({ ...place, message: keys.open(sealed, contextOf(owner, place)) });
    }
    return { events, cursor: rows.at(-1)?.[0].toString() ?? cursor };
  }

  /** Whether anything of a session is kept still. */
  async holds(owner: EventOwner): Promise<boolean> {
    return (await this.#redis.exists(nameOf(owner))) === 1;
  }

  /** Calls `onNews` whenever something was kept of a session, until the returned function is called. */
  async hear(owner: EventOwner, onNews: () => void): Promise<() => void> {
    return this.#news.hear(nameOf(owner), onNews);
  }

  /** Hears of nothing any more. */
  close(): void {
    this.#news.close();
  }
}

function nameOf({ tenantId, sessionId }: EventOwner): string {
  return `events:{${tenantId}:${createHash('sha256').update(sessionId).digest('base64url')}}`;
}

function contextOf(
  owner: EventOwner,
  { stream, number, kind }: Pick<StreamEvent, 'stream' | 'number' | 'kind'>,
): string {
  return `event|${owner.tenantId}|${owner.sessionId}|${stream}|${number}|${kind}`;
}
