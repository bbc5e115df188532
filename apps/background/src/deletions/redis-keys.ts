import type { Redis } from 'ioredis';

const KEYS_AT_ONCE = 1_000;
const LOOKS_MAX = 100_000;

/** Forgets every key in Redis that names the tenant: its sessions, streams, kept answers and rates. Returns how many. */
export async function forgetInRedis(redis: Redis, tenantId: string): Promise<number> {
  let cursor = '0';
  let forgotten = 0;
  for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
    const [next, keys] = await redis.scan(cursor, 'MATCH', `*${tenantId}*`, 'COUNT', KEYS_AT_ONCE);
    if (keys.length > 0) forgotten += await redis.unlink(...keys);
    cursor = next;
    if (cursor === '0') break;
  }
  return forgotten;
}
