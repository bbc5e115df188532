import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { openRedis, type RedisStore } from '#libs/redis';
import { Claims } from './claims.js';

const LOCAL_KEYS_MAX = 50_000;
const COMMAND_TIMEOUT_MS = 500;

/** How often something may be tried within a window of time. */
export interface Allowance {
  /** What is counted: a kind and whom it is counted for. Only a hash of it is stored. */
  readonly key: string;
  readonly max: number;
  readonly windowSeconds: number;
}

/**
 * Counts attempts in fixed windows, in Redis for all instances together. While Redis does not answer, each instance
 * counts for itself, so that a limit is at most multiplied by the number of instances and never gone.
 */
export class AttemptCounter {
  /** Attempts that are being judged. */
  readonly claims: Claims;
  readonly #redis: RedisStore;
  readonly #local = new LRUCache<string, number>({ max: LOCAL_KEYS_MAX });

  constructor(redisUrl: string) {
    // The fallback below is the answer to a lost connection.
    this.#redis = openRedis(redisUrl, { commandMs: COMMAND_TIMEOUT_MS, onError: () => undefined });
    this.claims = new Claims(this.#redis);
  }

  /** Counts one attempt against all allowances; returns the seconds to wait when one of them is used up, else 0. */
  async take(...allowances: readonly Allowance[]): Promise<number> {
    const counts = await Promise.all(allowances.map((allowance) => this.#increment(allowance)));
    return waitOf(allowances, (allowance, at) => (counts[at] ?? 0) > allowance.max);
  }

  /** The seconds to wait when one of the allowances is used up, else 0; counts nothing. */
  async wait(...allowances: readonly Allowance[]): Promise<number> {
    const counts = await Promise.all(allowances.map((allowance) => this.#read(allowance)));
    return waitOf(allowances, (allowance, at) => (counts[at] ?? 0) >= allowance.max);
  }

  /** Forgets the attempts counted in the present window. */
  async forget(...allowances: readonly Allowance[]): Promise<void> {
    const keys = allowances.map(windowKey);
    for (const key of keys) this.#local.delete(key);
    await Promise.all(keys.map((key) => this.#redis.del(key).catch(() => undefined)));
  }

  /** Throws when Redis does not answer. */
  async ping(): Promise<void> {
    await this.#redis.ping();
  }

  stop(): void {
    this.#redis.disconnect();
  }

  async #increment(allowance: Allowance): Promise<number> {
    const key = windowKey(allowance);
    const local = (this.#local.get(key) ?? 0) + 1;
    this.#local.set(key, local, { ttl: allowance.windowSeconds * 1_000 });
    try {
      const results = await this.#redis.multi().incr(key).expire(key, allowance.windowSeconds).exec();
      return Number(results?.[0]?.[1] ?? local);
    } catch {
      return local;
    }
  }

  async #read(allowance: Allowance): Promise<number> {
    const key = windowKey(allowance);
    try {
      return Number((await this.#redis.get(key)) ?? 0);
    } catch {
      return this.#local.get(key) ?? 0;
    }
  }
}

function waitOf(allowances: readonly Allowance[], isUsedUp: (allowance: Allowance, at: number) => boolean): number {
  return Math.max(0, ...allowances.filter(isUsedUp).map(windowLeftSeconds));
}

/** The seconds until the present window of an allowance is over. */
export function windowLeftSeconds({ windowSeconds }: Allowance): number {
  return windowSeconds - (Math.floor(Date.now() / 1_000) % windowSeconds);
}

function windowKey({ key, windowSeconds }: Allowance): string {
  const window = Math.floor(Date.now() / 1_000 / windowSeconds);
  return `wharf:auth:attempts:${createHash('sha256').update(`${key}|${window}`).digest('base64url')}`;
}
