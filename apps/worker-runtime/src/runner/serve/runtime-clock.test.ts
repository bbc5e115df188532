import { expect, test } from '@jest/globals';
import { RuntimeClock } from './runtime-clock.js';

const NOW = 1_700_000_000_000;
const MINUTES = 60_000;

test.each([
  ['the same as ours', 0, 0],
  ['so little behind as a frame takes on its way', 1_900, 0],
  ['five minutes behind', 5 * MINUTES, 5 * MINUTES],
  ['five minutes ahead', -5 * MINUTES, -5 * MINUTES],
])('a deadline by a clock that is %s is the same moment by ours', (_, behindMs, moved) => {
  const clock = new RuntimeClock(NOW - behindMs, NOW);
  const deadlineMs = NOW - behindMs + 10_000;
  expect(clock.here(deadlineMs)).toBe(deadlineMs + moved);
  const progress = { waitMs: 5_000, lastMs: deadlineMs };
  expect(clock.progressHere(progress)).toEqual({ waitMs: 5_000, lastMs: deadlineMs + moved });
  expect(clock.progressHere(undefined)).toBeUndefined();
});
