import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import type { RedisStore } from '#libs/redis';
import { connectTestRedis, testRedis } from '#libs/testing';
import { SlidingWindows } from './sliding-windows.js';

let redis: RedisStore;
let windows: SlidingWindows;

beforeAll(async () => {
  redis = await connectTestRedis((await testRedis()).redisUrl);
  windows = new SlidingWindows(redis);
});

afterAll(() => redis.disconnect());

const hour = (key: string, quota: number) => ({ key, quota, windowSeconds: 3_600 });

test('a quota is given once in its window, whoever asks, and says when there is one again', async () => {
  const asked = hour('a', 3);
  const other = new SlidingWindows(redis);
  const taken = await Promise.all([windows, other, windows, other].map((each) => each.take('t', [asked])));
  expect(taken.map(({ kind }) => kind).toSorted()).toEqual(['full', 'taken', 'taken', 'taken']);
  const full = taken.find(({ kind }) => kind === 'full');
  // A window slides by a sixtieth of its length.
  expect(full).toMatchObject({ by: asked, waitSeconds: expect.any(Number) });
  const { waitSeconds } = full as { waitSeconds: number }; // the line above
  expect(waitSeconds).toBeGreaterThan(3_600 - 1);
  expect(waitSeconds).toBeLessThanOrEqual(3_660);
});

test('of several quotas all are taken, or none', async () => {
  expect(await windows.take('t', [hour('b', 1), hour('c', 5)])).toEqual({ kind: 'taken', count: 1 });
  expect(await windows.take('t', [hour('c', 5), hour('b', 1)])).toMatchObject({ kind: 'full', by: { key: 'b' } });
  // The refused one took nothing of the other.
  for (let left = 4; left > 0; left -= 1)
    expect(await windows.take('t', [hour('c', 5)])).toEqual({ kind: 'taken', count: 1 });
  expect(await windows.take('t', [hour('c', 5)])).toMatchObject({ kind: 'full', by: { key: 'c' } });
});

test('of what is wanted as much is taken as all have', async () => {
  expect(await windows.take('t', [hour('g', 10), hour('h', 4)], 6)).toEqual({ kind: 'taken', count: 4 });
  expect(await windows.take('t', [hour('g', 10)], 64)).toEqual({ kind: 'taken', count: 6 });
  expect(await windows.take('t', [hour('g', 10)], 64)).toMatchObject({ kind: 'full' });
});

test('one group’s quotas are not another’s', async () => {
  expect(await windows.take('one', [hour('d', 1)])).toEqual({ kind: 'taken', count: 1 });
  expect(await windows.take('two', [hour('d', 1)])).toEqual({ kind: 'taken', count: 1 });
});

test('what was taken before the window is free again, part by part', async () => {
  const key = 'window:{t}:e';
  const part = Math.floor(Date.now() / 60_000);
  await redis.hset(key, { [part - 61]: 5, [part - 59]: 2, [part - 30]: 1 });
  expect(await windows.take('t', [hour('e', 4)])).toEqual({ kind: 'taken', count: 1 });
  const full = await windows.take('t', [hour('e', 4)]);
  expect(full).toMatchObject({ kind: 'full' });
  // The two of the oldest part go first, in one to two minutes.
  const { waitSeconds } = full as { waitSeconds: number }; // the line above
  expect(waitSeconds).toBeLessThanOrEqual(121);
  expect(await redis.hkeys(key)).not.toContain(String(part - 61));
});

test('without Redis nobody knows', async () => {
  const away = new Redis('redis://127.0.0.1:9', { lazyConnect: true, enableOfflineQueue: false, retryStrategy: null });
  away.on('error', () => undefined);
  expect(await new SlidingWindows(away).take('t', [hour('f', 1)])).toEqual({ kind: 'unknown' });
  away.disconnect();
});

test('what was used up is given bit by bit, until a window has passed since', async () => {
  const key = 'window:{t}:paced';
  const part = Math.floor(Date.now() / 60_000);
  const paced = { ...hour('paced', 100), pace: 6 };
  // Ninety were taken within one part that is about to leave, ten in the one before the last.
  await redis.hset(key, { [part - 59]: 90, [part - 1]: 10 });
  expect(await windows.take('t', [paced])).toMatchObject({ kind: 'full' });
  await redis.hdel(key, String(part - 59));
  expect(await windows.take('t', [paced], 64)).toEqual({ kind: 'taken', count: 6 });
  const next = await windows.take('t', [paced], 64);
  expect(next).toMatchObject({ kind: 'full', by: paced });
  // The next part begins within a minute.
  expect((next as { waitSeconds: number }).waitSeconds).toBeLessThanOrEqual(60); // the line above
  await redis.hset(key, { '-1': Date.now() - 3_600_000 });
  expect(await windows.take('t', [paced], 64)).toEqual({ kind: 'taken', count: 64 });
});

test('what has never been full is given all at once, and a quota without a pace always', async () => {
  const paced = { ...hour('rested', 100), pace: 6 };
  expect(await windows.take('t', [paced], 64)).toEqual({ kind: 'taken', count: 64 });
  expect(await windows.take('t', [paced], 64)).toEqual({ kind: 'taken', count: 36 });
  await windows.take('t', [hour('plain', 2)], 2);
  expect(await windows.take('t', [hour('plain', 2)])).toMatchObject({ kind: 'full' });
  expect(await windows.take('t', [hour('plain', 4)], 2)).toEqual({ kind: 'taken', count: 2 });
});
