import { expect, test } from '@jest/globals';
import { pickRuntime, type RankedRuntime } from './rank-runtimes.js';

const KEYS = Array.from({ length: 3_000 }, (_, index) => `tenant ${index}`);
const idle: RankedRuntime[] = ['a', 'b', 'c'].map((name) => ({ name, open: 0 }));
const placesOf = (runtimes: readonly RankedRuntime[]) => KEYS.map((key) => pickRuntime(runtimes, key)?.name);

test('a runtime that is lost moves only its own tenants', () => {
  const before = placesOf(idle);
  const after = placesOf(idle.slice(0, 2));
  for (const [at, place] of before.entries()) if (place !== 'c') expect(after[at]).toBe(place);
  for (const name of ['a', 'b', 'c']) expect(before.filter((place) => place === name).length).toBeGreaterThan(900);
});

test('calls of one tenant stay together while there are few, and none has more than its share where there are many', () => {
  const runtimes = ['a', 'b', 'c'].map((name) => ({ name, open: 0 }));
  const call = () => {
    const picked = pickRuntime(runtimes, 'busy');
    if (picked !== undefined) picked.open += 1;
  };
  for (let calls = 0; calls < 128; calls += 1) call();
  expect(runtimes.map(({ open }) => open).toSorted((left, right) => left - right)).toEqual([0, 0, 128]);
  for (let calls = 128; calls < 3_000; calls += 1) call();
  expect(Math.max(...runtimes.map(({ open }) => open))).toBeLessThanOrEqual(1_251);
  const own = placesOf(idle);
  const [full = ''] = runtimes.toSorted((left, right) => right.open - left.open).map(({ name }) => name);
  const now = placesOf(runtimes);
  for (const [at, place] of own.entries()) if (place !== full) expect(now[at]).toBe(place);
});
