import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { DpopProof } from '#libs/identity';
import type { RedisStore } from '#libs/redis';

const REMEMBERED_MAX = 100_000;

/**
 * Proofs that were used, so that each is good once (RFC 9449 §11.1): in Redis for all gateways together, and here. While
 * Redis does not answer, a proof is good once at each gateway, and for the same short time.
 */
export class UsedProofs {
  readonly #used = new LRUCache<string, true>({ max: REMEMBERED_MAX });

  constructor(private readonly redis: RedisStore) {}

  /** Takes a proof; false where it was taken before. */
  async take({ thumbprint, jti }: DpopProof, seconds: number): Promise<boolean> {
    const key = `wharf:gateway:dpop:${createHash('sha256').update(`${thumbprint}|${jti}`).digest('base64url')}`;
    if (this.#used.has(key)) return false;
    this.#used.set(key, true, { ttl: seconds * 1_000 });
    try {
      return (await this.redis.set(key, '', 'EX', seconds, 'NX')) === 'OK';
    } catch {
      return true;
    }
  }
}
