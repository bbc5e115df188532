import { afterEach, expect, test } from '@jest/globals';
import { Rounds } from './rounds.js';

const NEVER_MS = 3_600_000;

let rounds: Rounds;
afterEach(() => rounds.stop());

/** Rounds whose n-th is awaited by `made(n)`, and does what it is given. */
function counting(everyMs: number, work: (round: number) => Promise<unknown> = async () => undefined) {
  let count = 0;
  const failures: unknown[] = [];
  const waiting = new Map<number, () => void>();
  rounds = new Rounds({
    everyMs,
    round: async () => {
      const round = (count += 1);
      waiting.get(round)?.();
      await work(round);
    },
    onFailed: (error) => failures.push(error),
  });
  const made = async (round: number): Promise<void> => {
    if (count < round) await new Promise<void>((resolve) => waiting.set(round, resolve));
  };
  return { made, failures, count: () => count };
}

test('the first round is made at once, and one after another by itself', async () => {
  const { made } = counting(1);
  rounds.start();
  await made(3);
});

test('a ring begins the next round, also one that comes during a round', async () => {
  const { made, count } = counting(NEVER_MS, async (round) => round === 1 && rounds.ring());
  rounds.start();
  await made(2);
  rounds.ring();
  rounds.ring();
  await made(3);
  expect(count()).toBe(3);
});

test('there are never two rounds at once, however often it rings', async () => {
  let underWay = 0;
  let most = 0;
  const { made } = counting(NEVER_MS, async () => {
    most = Math.max(most, (underWay += 1));
    rounds.ring();
    await new Promise<void>((resolve) => setImmediate(resolve));
    underWay -= 1;
  });
  rounds.start();
  await made(5);
  expect(most).toBe(1);
});

test('a round that fails is heard of, and the next one is made', async () => {
  const { made, failures } = counting(1, async (round) => {
    if (round === 1) throw new Error('the first one fails');
  });
  rounds.start();
  await made(2);
  expect(failures).toEqual([new Error('the first one fails')]);
});

test('it stops after the round in hand, which is told why, and makes no other', async () => {
  const reason = new Error('the service stops');
  let ended = false;
  const { made, count } = counting(NEVER_MS, async () => {
    rounds.ring();
    await new Promise<void>((resolve) => rounds.signal.addEventListener('abort', () => resolve()));
    ended = true;
  });
  rounds.start();
  await made(1);
  await rounds.stop(reason);
  expect([ended, count(), rounds.signal.reason]).toEqual([true, 1, reason]);
});

test('it stops while it waits, and where it was never started', async () => {
  const unstarted = counting(NEVER_MS);
  await rounds.stop();
  expect(unstarted.count()).toBe(0);
  const waiting = counting(NEVER_MS);
  rounds.start();
  await waiting.made(1);
  await rounds.stop();
  expect(waiting.count()).toBe(1);
});

test('who hears of a failure and fails ends nothing, and a second start begins nothing', async () => {
  let count = 0;
  const third = Promise.withResolvers<void>();
  rounds = new Rounds({
    everyMs: 1,
    round: async () => {
      count += 1;
      if (count === 3) third.resolve();
      throw new Error('a round');
    },
    onFailed: () => {
      throw new Error('its hearer');
    },
  });
  rounds.start();
  rounds.start();
  expect(count).toBe(1);
  await third.promise;
});
