import { expect, test } from '@jest/globals';
import { OTHER, TopNames } from './index.js';

test('names the first that come and then those with the most traffic; the rest is other', () => {
  let nowMs = 0;
  const dropped: string[] = [];
  const names = new TopNames(
    2,
    (name) => dropped.push(name),
    () => nowMs,
  );
  expect(['a', 'b', 'c'].map((name) => names.count(name))).toEqual(['a', 'b', OTHER]);
  for (let call = 0; call < 50; call += 1) names.count('c');
  nowMs = 60_000;
  expect(names.count('c')).toBe('c');
  expect(dropped).toEqual(['b']);
  expect([names.count('b'), names.find('never-seen')]).toEqual([OTHER, OTHER]);
});

test('remembers a bounded number of names, however many come', () => {
  const names = new TopNames(
    2,
    () => undefined,
    () => 0,
  );
  const written = new Set(Array.from({ length: 10_000 }, (_, at) => names.count(`name-${at}`)));
  expect(written).toEqual(new Set(['name-0', 'name-1', OTHER]));
});
