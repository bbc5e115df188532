import { expect, test } from '@jest/globals';
import { NumberMap } from './number-map.js';

/** Numbers that follow from a seed: the same in every run (mulberry32). */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function sorted(entries: Iterable<[number, string]>): Array<[number, string]> {
  return [...entries].toSorted(([left], [right]) => left - right);
}

/** Kinds of keys: in a row, all meant for the same places, below zero, and as large as they may be. */
const KEYS: Readonly<Record<string, (random: number) => number>> = {
  'numbers in a row': (random) => random,
  'numbers that want the same places': (random) => random * 4_096,
  'numbers below and above zero': (random) => random - 150,
  'the largest numbers': (random) => Number.MAX_SAFE_INTEGER - random,
};

test.each(Object.entries(KEYS))('holds what a Map holds, whatever is set and deleted: %s', (_, keyOf) => {
  const random = randomFrom(20_261_123);
  const [map, expected] = [new NumberMap<string>(), new Map<number, string>()];
  const wrongSteps: number[] = [];
  for (let step = 0; step < 20_000; step += 1) {
    const key = keyOf(random(300));
    // It fills in its first half and empties in its second.
    if (random(10) < (step < 10_000 ? 6 : 4)) {
      map.set(key, `value ${step}`);
      expected.set(key, `value ${step}`);
    } else if (map.delete(key) !== expected.delete(key)) wrongSteps.push(step);
    const asked = keyOf(random(300));
    if (map.get(asked) !== expected.get(asked) || map.has(asked) !== expected.has(asked)) wrongSteps.push(step);
    if (map.size !== expected.size) wrongSteps.push(step);
    if (step % 500 === 0) expect(sorted(map.entries())).toEqual(sorted(expected));
  }
  expect(wrongSteps).toEqual([]);
  expect(expected.size).toBeGreaterThan(64);
  expect(sorted(map.entries())).toEqual(sorted(expected));
});

test('entries are those of the moment they were asked for, whatever leaves meanwhile', () => {
  const map = new NumberMap<string>();
  for (let key = 0; key < 200; key += 1) map.set(key, key % 2 === 0 ? 'even' : 'odd');
  const even = map.filter((value) => value === 'even');
  for (const [key] of even) expect(map.delete(key)).toBe(true);
  expect(even).toHaveLength(100);
  expect(map.size).toBe(100);
  expect(map.values().every((value) => value === 'odd')).toBe(true);
  for (const key of map.keys()) map.delete(key);
  expect(map.size).toBe(0);
  expect(map.entries()).toEqual([]);
});

test('is empty once it was cleared, and takes entries again', () => {
  const map = new NumberMap<string>();
  for (let key = 0; key < 100; key += 1) map.set(key, 'before');
  map.clear();
  expect([map.size, map.get(7), map.has(7), map.delete(7)]).toEqual([0, undefined, false, false]);
  map.set(7, 'after');
  expect(map.entries()).toEqual([[7, 'after']]);
});

test('what is no number has no entry', () => {
  const map = new NumberMap<string>();
  map.set(0, 'zero');
  expect([map.get(Number.NaN), map.has(Number.NaN), map.delete(Number.NaN)]).toEqual([undefined, false, false]);
});
