import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import type { RedisStore } from '#libs/redis';
import { connectTestRedis, testRedis, until } from '#libs/testing';
import { SharedSlots, type SlotVerdict } from './shared-slots.js';

let redisUrl: string;
let redis: RedisStore;
let slots: SharedSlots;
let others: SharedSlots;

beforeAll(async () => {
  ({ redisUrl } = await testRedis());
  redis = await connectTestRedis(redisUrl);
});
beforeEach(() => {
  slots = new SharedSlots(redis);
  others = new SharedSlots(redis);
});
afterEach(() => {
  slots.close();
  others.close();
});
afterAll(() => redis.disconnect());

function releaseOf(verdict: SlotVerdict): () => void {
  if (typeof verdict !== 'function') throw new Error(`there was no slot: ${verdict}`);
  return verdict;
}
const taken = (verdicts: readonly SlotVerdict[]): number =>
  verdicts.filter((verdict) => typeof verdict === 'function').length;
const takeAll = (key: string, most: number, times: number): Promise<SlotVerdict[]> =>
  Promise.all(Array.from({ length: times }, (_, at) => (at % 2 === 0 ? slots : others).take(key, most)));

test.each([1, 2, 5, 19, 20, 100, 1_000])('of %i slots all processes together get so many and no more', async (most) => {
  const given = taken(await takeAll(`all-${most}`, most, most * 2 + 6));
  expect(given).toBeLessThanOrEqual(most);
  // Of large limits, each of the two keeps a few to spare.
  expect(given).toBeGreaterThanOrEqual(most < 20 ? most : most * 0.9);
});

test('a slot of a small limit that is given back is at once anybody’s, also the last', async () => {
  for (let turn = 0; turn < 20; turn += 1) {
    const [one, other] = turn % 2 === 0 ? [slots, others] : [others, slots];
    const release = releaseOf(await one.take('b', 1));
    expect(await other.take('b', 1)).toBe('full');
    release();
    release(); // a second time changes nothing
    await until(async () => {
      const verdict = await other.take('b', 1);
      if (typeof verdict === 'function') verdict();
      return typeof verdict === 'function';
    });
    await until(async () => (await redis.exists('slots:{b}')) === 0);
  }
});

test('one key’s slots are not another’s, and what has ended leaves nothing behind', async () => {
  const releases = await Promise.all(['c', 'd'].map(async (key) => releaseOf(await slots.take(key, 1))));
  for (const release of releases) release();
  // One by one: in a cluster, two keys may be at two masters.
  for (const key of ['slots:{c}', 'slots:{d}']) await until(async () => (await redis.exists(key)) === 0);
});

test('what a process held that has ended is free again after ten seconds', async () => {
  await redis.hset('slots:{e}', 'a-process-that-was-killed', `1:${Date.now() - 1}`);
  expect(typeof (await slots.take('e', 1))).toBe('function');
  await redis.hset('slots:{f}', 'a-process-that-lives', `1:${Date.now() + 60_000}`);
  expect(await slots.take('f', 1)).toBe('full');
});

test('while Redis is away each process counts for itself, or gives nothing where that is wanted; what runs counts when it is back', async () => {
  const own = await connectTestRedis(redisUrl);
  const alone = new SharedSlots(own);
  own.disconnect();
  expect(await alone.take('g', 2, 'refuse')).toBe('unknown');
  const release = releaseOf(await alone.take('g', 2));
  expect(typeof (await alone.take('g', 2))).toBe('function');
  expect(await alone.take('g', 2)).toBe('full');
  release();
  expect(typeof (await alone.take('g', 2))).toBe('function');
  alone.close();
});

test('a limit that was lowered holds for what comes, and one that was raised at once', async () => {
  expect(taken(await Promise.all([0, 1, 2].map(() => slots.take('h', 3))))).toBe(3);
  expect(await slots.take('h', 2)).toBe('full');
  await until(async () => typeof (await slots.take('h', 4)) === 'function');
});

test('what runs at once goes up and down without asking Redis each time', async () => {
  const asked = jest.spyOn(redis as RedisStore & { holdSlots(): Promise<number> }, 'holdSlots');
  for (let turn = 0; turn < 200; turn += 1) {
    const verdicts = await Promise.all(Array.from({ length: 40 }, () => slots.take('i', 1_000)));
    for (const verdict of verdicts) releaseOf(verdict)();
    await redis.ping(); // what was asked is answered
  }
  expect(asked.mock.calls.length).toBeLessThan(150);
  asked.mockRestore();
});
