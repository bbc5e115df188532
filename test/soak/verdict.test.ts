import { expect, test } from '@jest/globals';
import { isFlat, slopeOf, trendsOf } from './verdict.js';

const samples = (memory: (seconds: number) => number) =>
  Array.from({ length: 60 }, (_, at) => ({
    atSeconds: at * 10,
    memoryMb: memory(at * 10),
    descriptors: 40 + (at % 3),
    processes: 1,
  }));

test('memory that swings about a level is flat, and so is what rises only while it warms up', () => {
  const swings = samples((seconds) => 100 + (seconds % 40));
  const warms = samples((seconds) => 100 + Math.min(seconds, 150));
  for (const series of [swings, warms]) expect(trendsOf('gateway', series).filter((one) => !isFlat(one))).toEqual([]);
});

test('memory that rises by a megabyte in ten seconds is not flat, whatever one sample says', () => {
  const rises = samples((seconds) => (seconds === 400 ? 20 : 100 + seconds / 10));
  expect(trendsOf('gateway', rises).flatMap((one) => (isFlat(one) ? [] : [one.measure]))).toEqual(['memory, MB']);
});

test('a heap may grow in a short soak, but not by what a leak takes', () => {
  const grown = (perSecond: number) =>
    trendsOf('gateway', samples((seconds) => 100 + seconds * perSecond).slice(0, 13)).filter((one) => !isFlat(one));
  expect(grown(0.5)).toEqual([]);
  expect(grown(1).map(({ measure }) => measure)).toEqual(['memory, MB']);
});

test('the slope of a straight line is its own', () => {
  expect(slopeOf([0, 1, 2, 3].map((at) => [at, 5 + 2 * at] as const))).toBe(2);
});
