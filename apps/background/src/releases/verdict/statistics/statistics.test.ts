import { expect, test } from '@jest/globals';
import { fisherGreater } from './fisher.js';
import { mannWhitneyGreater } from './mann-whitney.js';

test('Fisher’s exact test gives the published values', () => {
  // Fisher's lady tasting tea (1935): three of four right, 17 in 70; all four, 1 in 70.
  expect(fisherGreater({ hits: 3, of: 4 }, { hits: 1, of: 4 })).toBeCloseTo(17 / 70, 10);
  expect(fisherGreater({ hits: 4, of: 4 }, { hits: 0, of: 4 })).toBeCloseTo(1 / 70, 10);
  // The convictions of twins in R's fisher.test: of 12 convicted 10 were identical, of 18 others 3.
  expect(fisherGreater({ hits: 10, of: 12 }, { hits: 3, of: 18 })).toBeCloseTo(0.0004652, 6);
  expect(fisherGreater({ hits: 0, of: 50 }, { hits: 0, of: 500 })).toBe(1);
});

test('Fisher’s exact test holds with many calls', () => {
  expect(fisherGreater({ hits: 1_000, of: 100_000 }, { hits: 10_000, of: 1_000_000 })).toBeCloseTo(0.5, 1);
  expect(fisherGreater({ hits: 20_000, of: 100_000 }, { hits: 10_000, of: 1_000_000 })).toBeLessThan(1e-100);
});

/** Values as counts of classes. */
function counted(values: readonly number[]): number[] {
  return Array.from({ length: 300 }, (_, index) => values.filter((value) => value === index).length);
}

test('the Mann–Whitney test gives the published values', () => {
  // Hollander & Wolfe (1973), 69 f., as in R's wilcox.test: permeability × 100; W = 35, exact p = 0.1272 (greater).
  const term = counted([80, 83, 189, 104, 145, 138, 191, 164, 73, 146]);
  const early = counted([115, 88, 90, 74, 121]);
  expect(mannWhitneyGreater(term, early)).toBeCloseTo(0.1223, 3);
  // The tortoise and the hare of Wikipedia's article, U = 11 and 25 of 36.
  const tortoise = counted([1, 7, 8, 9, 10, 11]);
  const hare = counted([2, 3, 4, 5, 6, 12]);
  expect(mannWhitneyGreater(tortoise, hare)).toBeCloseTo(0.149, 2);
  expect(mannWhitneyGreater([5], [5])).toBe(1);
});
