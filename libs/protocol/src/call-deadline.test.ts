import { expect, test } from '@jest/globals';
import { CallDeadline } from './call-deadline.js';

test('progress moves the deadline, never beyond the cap and never back', () => {
  const deadline = new CallDeadline({ deadlineMs: 1_000, progress: { waitMs: 1_000, lastMs: 2_500 } });
  const seen = [0, 900, 1_400, 2_400, 2_450].map((nowMs) => {
    deadline.extend(nowMs);
    return deadline.atMs;
  });
  expect(seen).toEqual([1_000, 1_900, 2_400, 2_500, 2_500]);
});

test('without a cap nothing moves it', () => {
  const deadline = new CallDeadline({ deadlineMs: 1_000 });
  deadline.extend(999);
  expect(deadline.atMs).toBe(1_000);
});
