import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RedisStore } from '#libs/redis';
import { connectTestRedis, testRedis } from '#libs/testing';
import { LocalRate } from './local-rate.js';
import { SharedRate } from './shared-rate.js';

// So slow that nothing refills while a test runs.
const rate = { perMinute: 1 / 60, burst: 3 };

describe.each(['with Redis', 'without Redis'])('a shared rate %s', (kind) => {
  let redis: RedisStore;

  beforeAll(async () => {
    const { redisUrl } = await testRedis();
    redis = await connectTestRedis(kind === 'with Redis' ? redisUrl : 'redis://127.0.0.1:9');
  });

  afterAll(() => redis.disconnect());

  test('gives its burst, then says how long to wait, for each key on its own', async () => {
    const rates = new SharedRate(redis);
    for (let taken = 0; taken < 3; taken += 1) expect(await rates.take('a', rate)).toBe(0);
    const wait = await rates.take('a', rate);
    expect(wait).toBeGreaterThan(3_500);
    expect(wait).toBeLessThanOrEqual(3_600);
    expect(await rates.take('b', rate)).toBe(0);
  });

  test('is counted for all that share it where Redis is there', async () => {
    const [one, other] = [new SharedRate(redis), new SharedRate(redis)];
    for (let taken = 0; taken < 3; taken += 1) await one.take('c', rate);
    expect((await other.take('c', rate)) > 0).toBe(kind === 'with Redis');
  });
});

test('what was given back can be taken again, and no more than the burst', () => {
  const rates = new LocalRate();
  for (let taken = 0; taken < 3; taken += 1) rates.take('a', rate);
  rates.giveBack('a', rate);
  expect(rates.take('a', rate)).toBe(0);
  expect(rates.take('a', rate)).toBeGreaterThan(0);
});
