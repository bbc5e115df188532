import { Redis } from 'ioredis';
import { mastersOf, openRedis, untilOpened, type RedisStore } from '#libs/redis';
import { testEnvironment } from './environment.js';

const DATABASES = 1_023;
const COMMAND_MS = 10_000;

/** A Redis database of one's own. */
export interface TestRedis {
  readonly redisUrl: string;
  /** Empties it. */
  flush(): Promise<void>;
}

/** An empty Redis database that no other test of the run uses; a Cluster, which has one only, is for one test at a time. */
export async function testRedis(): Promise<TestRedis> {
  const { redisUrl } = testEnvironment();
  const own = redisUrl.startsWith('redis+cluster:') ? redisUrl : await numbered(redisUrl);
  const flush = async (): Promise<void> => {
    const redis = await connectTestRedis(own);
    await Promise.all(mastersOf(redis).map((node) => node.flushdb()));
    redis.disconnect();
  };
  await flush();
  return { redisUrl: own, flush };
}

/** A connection to the Redis of a test, whatever its shape. */
export async function connectTestRedis(redisUrl: string): Promise<RedisStore> {
  const redis = openRedis(redisUrl, { commandMs: COMMAND_MS, onError: () => undefined });
  await untilOpened(redis);
  return redis;
}

/** Names of keys, at whichever node they are. */
export async function keysIn(redis: RedisStore, pattern: string): Promise<string[]> {
  return (await Promise.all(mastersOf(redis).map((node) => node.keys(pattern)))).flat();
}

async function numbered(redisUrl: string): Promise<string> {
  const counter = new Redis(redisUrl);
  const number = (await counter.incr('wharf-test:databases')) % DATABASES;
  counter.disconnect();
  const url = new URL(redisUrl);
  url.pathname = `/${number + 1}`;
  return url.toString();
}
