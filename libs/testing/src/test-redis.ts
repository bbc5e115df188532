import { Redis } from 'ioredis';
import { testEnvironment } from './environment.js';

const DATABASES = 1_023;

/** A Redis database of one's own. */
export interface TestRedis {
  readonly redisUrl: string;
  /** Empties it. */
  flush(): Promise<void>;
}

/** An empty Redis database that no other test of the run uses. */
export async function testRedis(): Promise<TestRedis> {
  const { redisUrl } = testEnvironment();
  const counter = new Redis(redisUrl);
  const number = (await counter.incr('wharf-test:databases')) % DATABASES;
  counter.disconnect();
  const url = new URL(redisUrl);
  url.pathname = `/${number + 1}`;
  const flush = async (): Promise<void> => {
    const redis = new Redis(url.toString());
    await redis.flushdb();
    redis.disconnect();
  };
  await flush();
  return { redisUrl: url.toString(), flush };
}
