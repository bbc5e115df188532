import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { RedisStore } from '#libs/redis';
import { connectTestRedis, testRedis } from '#libs/testing';
import { LeasedQuota, type QuotaVerdict } from './leased-quota.js';

const MINUTE = 60_000;
const perHour = (quota: number) => ({ quota, windowSeconds: 3_600 });
const waitOf = (verdict: QuotaVerdict): number => (typeof verdict === 'object' ? verdict.waitSeconds : 0);

let redis: RedisStore;
let away: RedisStore;

beforeAll(async () => {
  redis = await connectTestRedis((await testRedis()).redisUrl);
  away = await connectTestRedis('redis://127.0.0.1:9');
});
afterEach(() => void jest.restoreAllMocks());
afterAll(() => {
  redis.disconnect();
  away.disconnect();
});

async function takeMany(quotas: readonly LeasedQuota[], key: string, quota: number, times: number): Promise<number> {
  const verdicts = await Promise.all(
    Array.from({ length: times }, async (_, at) => quotas[at % quotas.length]?.take(key, perHour(quota))),
  );
  return verdicts.filter((verdict) => verdict === 'taken').length;
}

describe.each(['with Redis', 'without Redis'])('a quota %s', (kind) => {
  const store = () => (kind === 'with Redis' ? redis : away);

  test('is given once in its window, then says how long to wait, for each key on its own', async () => {
    const quotas = new LeasedQuota(store());
    for (let taken = 0; taken < 3; taken += 1) expect(await quotas.take('a', perHour(3))).toBe('taken');
    // A window slides by a sixtieth of its length.
    const seconds = waitOf(await quotas.take('a', perHour(3)));
    expect(seconds).toBeGreaterThanOrEqual(3_599);
    expect(seconds).toBeLessThanOrEqual(3_661);
    expect(await quotas.take('b', perHour(3))).toBe('taken');
  });

  test('is counted for all processes where Redis is there, and nobody gets more than there is', async () => {
    const given = await takeMany([new LeasedQuota(store()), new LeasedQuota(store())], 'c', 1_000, 3_000);
    // What one has leased and does not use, the other does not get.
    expect(given).toBeGreaterThanOrEqual(980);
    expect(given).toBeLessThanOrEqual(kind === 'with Redis' ? 1_000 : 2_000);
  });
});

test('what one takes now and then is taken singly, so that others get all the rest', async () => {
  const [rare, other] = [new LeasedQuota(redis), new LeasedQuota(redis)];
  expect(await rare.take('d', perHour(1_000))).toBe('taken');
  expect(await takeMany([other], 'd', 1_000, 1_200)).toBe(999);
});

test('while Redis is away, a process goes on from what it has taken itself, or gives nothing where that is wanted', async () => {
  const own = await connectTestRedis((await testRedis()).redisUrl);
  const quotas = new LeasedQuota(own);
  for (let taken = 0; taken < 2; taken += 1) expect(await quotas.take('e', perHour(3))).toBe('taken');
  own.disconnect();
  expect(await quotas.take('e', perHour(3), 'refuse')).toBe('unknown');
  expect(await quotas.take('e', perHour(3))).toBe('taken');
  expect(waitOf(await quotas.take('e', perHour(3)))).toBeGreaterThan(0);
});

test('alone, what was taken is free again when it has left the window, part by part', async () => {
  const quotas = new LeasedQuota(away);
  const clock = jest.spyOn(Date, 'now');
  const start = Math.ceil(Date.now() / MINUTE) * MINUTE;
  const at = (minutes: number): void => void clock.mockReturnValue(start + minutes * MINUTE + 1);
  at(0);
  for (let taken = 0; taken < 2; taken += 1) expect(await quotas.take('f', perHour(3))).toBe('taken');
  at(30);
  expect(await quotas.take('f', perHour(3))).toBe('taken');
  expect(waitOf(await quotas.take('f', perHour(3)))).toBe(31 * 60);
  at(60);
  expect(waitOf(await quotas.take('f', perHour(3)))).toBe(60);
  at(61);
  for (let taken = 0; taken < 2; taken += 1) expect(await quotas.take('f', perHour(3))).toBe('taken');
  expect(waitOf(await quotas.take('f', perHour(3)))).toBe(30 * 60);
  at(500);
  for (let taken = 0; taken < 3; taken += 1) expect(await quotas.take('f', perHour(3))).toBe('taken');
});
