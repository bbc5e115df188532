import { expect, test } from '@jest/globals';
import type { Sample } from '#libs/rollouts';
import { judge } from './judge.js';
import { ROLLOUT, sample } from './samples.fixture.js';

const STABLE = sample('stable', 200, { ms: 50 });

const PLACES = [
  ['at a step', { steps: [0, 1, 2].map(() => ({ percent: 100, seconds: 1 })) }],
  ['at the last step', { steps: [0, 1].map(() => ({ percent: 100, seconds: 1 })) }],
  ['while it drains', { state: 'draining' }],
] as const;

test.each(PLACES)('a few calls that are slow wait for more %s', (_place, where) => {
  const judged = (...samples: Sample[]) => judge({ ...ROLLOUT, ...where }, [STABLE, ...samples], undefined);
  for (const calls of [20, 30, 39])
    expect(judged(sample('candidate', calls, { ms: 30_000 }))).toMatchObject({
      decision: 'wait',
      findings: [],
      reason: expect.stringContaining('95 of 100 calls took up to'),
    });
  expect(judged(sample('candidate', 18, { ms: 50 }), sample('candidate', 2, { ms: 30_000 })).decision).toBe('wait');
  expect(judged(sample('candidate', 40, { ms: 30_000 })).decision).toBe('bad');
  expect(judged(sample('candidate', 20, { ms: 50 })).decision).toBe('good');
});

test('a few slow calls are doubtful too where the stable release had few, unless those are as slow', () => {
  const judged = (ms: number) =>
    judge(ROLLOUT, [sample('stable', 20, { ms }), sample('candidate', 400, { ms: 3_000 })], undefined).decision;
  expect([judged(50), judged(2_500)]).toEqual(['wait', 'good']);
});
