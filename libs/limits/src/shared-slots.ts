import { randomUUID } from 'node:crypto';
import type { RedisStore } from '#libs/redis';
import type { WhenUncertain } from './leased-quota.js';

const REST_MS = 1_000;
/** What a process that has ended held is free again after this. */
const HELD_MS = 10_000;
const REFRESH_MS = 3_000;
/** Nobody asks again sooner for a key that is full, unless one of its own has ended. */
const FULL_MS = 20;
/** What is more than spare is given back after this, if it still is: what runs at once goes up and down with every call. */
const EXCESS_MS = 100;
/** Most that is held beside what runs: a share of what may run, and never more than so many. */
const SPARE_SHARE = 0.05;
const SPARE_MAX = 16;

/**
 * What each process holds of a key is a field of a hash: how many, and until when (ms). Answers how many the asking one holds
 * from now on: as many of the wanted as the others leave, or -1 where that is less than it needs.
 */
const HOLD = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local others, kept = 0, redis.call('HGETALL', KEYS[1])
for at = 1, #kept, 2 do
  local count, till = string.match(kept[at + 1], '^(%d+):(%d+)$')
  if tonumber(till) < now then redis.call('HDEL', KEYS[1], kept[at])
  elseif kept[at] ~= ARGV[1] then others = others + tonumber(count) end
end
local held = math.min(tonumber(ARGV[2]), math.max(0, tonumber(ARGV[4]) - others))
if held < tonumber(ARGV[3]) then return -1 end
if held == 0 then redis.call('HDEL', KEYS[1], ARGV[1]); return 0 end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%d:%.0f', held, now + ${HELD_MS}))
redis.call('PEXPIRE', KEYS[1], ${HELD_MS})
return held`;

/** Redis with the script above as a command: its text travels once, then its hash. */
type HoldingRedis = RedisStore & {
  holdSlots(key: string, holder: string, wanted: number, needed: number, most: number): Promise<number>;
};

/** What this process has of a key. */
interface Held {
  running: number;
  /** Of all that may run, how many are this process's, running or not. */
  held: number;
  most: number;
  asking: Promise<'held' | 'full' | 'unknown'> | undefined;
  /** Looks whether there is more than spare. */
  looking: NodeJS.Timeout | undefined;
  /** From `performance.now()`. */
  fullUntilMs: number;
}

/** What came of asking for a slot: its release (safe to call twice), or why there is none. */
export type SlotVerdict = (() => void) | 'full' | 'unknown';

/**
 * Counts what runs at once for each key, in all processes together. A process holds what it runs and, of large limits, a few to
 * spare, so that most takes ask nobody; of small ones every slot is asked for and given back at once, so that none is idle
 * where it is not wanted. Where Redis is away, each process counts for itself.
 */
export class SharedSlots {
  readonly #redis: HoldingRedis;
  readonly #holder = randomUUID();
  readonly #keys = new Map<string, Held>();
  readonly #timer: NodeJS.Timeout;
  #restUntilMs = 0;

  constructor(redis: RedisStore) {
    redis.defineCommand('holdSlots', { numberOfKeys: 1, lua: HOLD });
    this.#redis = redis as HoldingRedis; // the line above
    this.#timer = setInterval(() => this.#refresh(), REFRESH_MS).unref();
  }

  /** Takes a slot of `key` while fewer than `most` are taken. */
  async take(key: string, most: number, whenUncertain: WhenUncertain = 'allow'): Promise<SlotVerdict> {
    const own = this.#keys.get(key) ?? newlyHeld(most);
    this.#keys.set(key, own);
    own.most = most;
    while (own.running >= Math.min(own.held, most)) {
      if (performance.now() < own.fullUntilMs) return 'full';
      const asked = await (own.asking ?? this.#ask(key, own, own.running + 1));
      if (asked === 'full') own.fullUntilMs = performance.now() + FULL_MS;
      if (asked === 'unknown') {
        if (whenUncertain === 'refuse') return 'unknown';
        if (own.running >= most) return 'full';
        break;
      }
    }
    own.running += 1;
    return this.#releaseOf(key, own);
  }

  /** Stops refreshing; what is held ends by itself. */
  close(): void {
    clearInterval(this.#timer);
  }

  #releaseOf(key: string, own: Held): () => void {
    let released = false;
    return () => {
      if (released) return;
      released = true;
      own.running -= 1;
      own.fullUntilMs = 0;
      this.#giveBack(key, own);
    };
  }

  /** Gives back what is more than spare, one step after another: at once where nothing may be spared. */
  #giveBack(key: string, own: Held): void {
    if (own.looking !== undefined || !hasExcess(own)) return;
    if (spareOf(own) === 0) return this.#giveExcessBack(key, own);
    own.looking = setTimeout(() => {
      own.looking = undefined;
      this.#giveExcessBack(key, own);
    }, EXCESS_MS).unref();
  }

  #giveExcessBack(key: string, own: Held): void {
    if (own.asking === undefined && hasExcess(own)) void this.#ask(key, own, 0);
  }

  /** Asks for what runs, what is needed beside it and what may be spared, once for all who wait. */
  #ask(key: string, own: Held, needed: number): Promise<'held' | 'full' | 'unknown'> {
    own.asking = this.#hold(key, own, needed).finally(() => {
      own.asking = undefined;
      setImmediate(() => this.#giveBack(key, own)); // who waits takes first
    });
    return own.asking;
  }

  async #hold(key: string, own: Held, needed: number): Promise<'held' | 'full' | 'unknown'> {
    if (performance.now() < this.#restUntilMs) return 'unknown';
    // Halfway, so that one more and one less do not ask each time.
    const spare = needed === 0 && own.running === 0 ? 0 : Math.floor(spareOf(own) / 2);
    const wanted = Math.max(needed, own.running) + spare;
    try {
      const held = await this.#redis.holdSlots(`slots:{${key}}`, this.#holder, wanted, needed, own.most);
      if (held < 0) return 'full';
      own.held = held;
      return 'held';
    } catch {
      this.#restUntilMs = performance.now() + REST_MS;
      own.held = 0;
      return 'unknown';
    }
  }

  /** What runs long is held on, what is spare is given back, and a key without anything takes no memory. */
  #refresh(): void {
    for (const [key, own] of this.#keys) {
      if (own.asking !== undefined) continue;
      if (own.running === 0 && own.held === 0) this.#keys.delete(key);
      else void this.#ask(key, own, 0);
    }
  }
}

function newlyHeld(most: number): Held {
  return { running: 0, held: 0, most, asking: undefined, looking: undefined, fullUntilMs: 0 };
}

function hasExcess(own: Held): boolean {
  return own.held - own.running > spareOf(own);
}

function spareOf({ most }: Held): number {
  return Math.min(SPARE_MAX, Math.floor(most * SPARE_SHARE));
}
