import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { AppError } from '#libs/errors';
import type { RedisStore } from '#libs/redis';
import type { Logger } from '#libs/telemetry';
import { LOGGER, REDIS } from '../platform/tokens.js';

const WINDOW_SECONDS = 3_600;
const COUNT = `local count = redis.call('incr', KEYS[1])
if count == 1 then redis.call('expire', KEYS[1], ARGV[1]) end
return {count, redis.call('ttl', KEYS[1])}`;

interface Tally {
  readonly count: number;
  readonly secondsLeft: number;
}

/**
 * Counts attempts in windows of an hour. The count is in Redis; while Redis is away each process counts for itself,
 * so that losing Redis neither stops sign-ups nor lifts the limit.
 */
@Injectable()
export class AttemptLimiter {
  readonly #local = new LRUCache<string, { count: number }>({ max: 50_000, ttl: WINDOW_SECONDS * 1_000 });

  constructor(
    @Inject(REDIS) private readonly redis: RedisStore,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Counts one attempt of `subject` at `what`. @throws AppError `rate_limited` beyond `max` in the window. */
  async count(what: string, subject: string, max: number): Promise<void> {
    const key = `wharf:attempts:${createHash('sha256').update(`${what}|${subject}`).digest('base64url').slice(0, 22)}`;
    const { count, secondsLeft } = await this.#tally(key);
    if (count <= max) return;
    throw new AppError('rate_limited', {
      message: `Too many attempts at ${what}. Try again in ${Math.ceil(secondsLeft / 60)} minutes.`,
      retryAfterSeconds: Math.max(1, secondsLeft),
      limit: { name: 'attempts_per_hour', quota: max, windowSeconds: WINDOW_SECONDS },
    });
  }

  async #tally(key: string): Promise<Tally> {
    try {
      const answer: unknown = await this.redis.eval(COUNT, 1, key, WINDOW_SECONDS);
      const [count, secondsLeft] = Array.isArray(answer) ? answer.map(Number) : [];
      if (count !== undefined && secondsLeft !== undefined) return { count, secondsLeft };
    } catch (error) {
      this.logger.warn({ err: error }, 'Redis did not count an attempt; this process counts for itself');
    }
    return this.#tallyLocally(key);
  }

  #tallyLocally(key: string): Tally {
    const entry = this.#local.get(key) ?? { count: 0 };
    entry.count += 1;
    if (entry.count === 1) this.#local.set(key, entry);
    return { count: entry.count, secondsLeft: Math.ceil(this.#local.getRemainingTTL(key) / 1_000) };
  }
}
