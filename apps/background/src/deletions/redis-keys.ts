import { mastersOf, type RedisStore } from '#libs/redis';

const KEYS_AT_ONCE = 1_000;
const LOOKS_MAX = 100_000;

/** Forgets every key in Redis that names the tenant: its sessions, streams, kept answers and rates. Returns how many. */
export async function forgetInRedis(redis: RedisStore, tenantId: string): Promise<number> {
  let forgotten = 0;
  for (const master of mastersOf(redis)) {
    let cursor = '0';
    for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
      const [next, keys] = await master.scan(cursor, 'MATCH', `*${tenantId}*`, 'COUNT', KEYS_AT_ONCE);
      // One by one: in a Cluster they are of different slots.
      await Promise.all(keys.map((key) => master.unlink(key)));
      forgotten += keys.length;
      cursor = next;
      if (cursor === '0') break;
    }
  }
  return forgotten;
}
