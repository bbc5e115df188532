import { expect, test } from '@jest/globals';
import type { Rollout, Sample } from '#libs/rollouts';
import { judge } from './judge.js';
import { PROBES, ROLLOUT, sample } from './samples.fixture.js';

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

test('a tool that is called rarely and always fails waits, however many other calls are fine', () => {
  const samples = [
    sample('stable', 4_000, { tool: 'other', errors: 80 }),
    sample('candidate', 1_000, { tool: 'other', errors: 20 }),
    sample('stable', 30, { tool: 'rare' }),
  ];
  const rare = (calls: number, errors: number, more: Partial<Rollout> = {}) =>
    judge({ ...ROLLOUT, ...more }, [...samples, sample('candidate', calls, { tool: 'rare', errors })], undefined);
  const doubted = rare(6, 6);
  expect(doubted).toMatchObject({ decision: 'wait', reason: expect.stringContaining('rare: 100.0 % of calls failed') });
  expect(rare(6, 1).decision).toBe('good');
  // No look is due: what the last one doubted is doubtful still, and what it did not is not asked anew.
  const at = { steps: [], drainSeconds: 600 };
  expect(rare(7, 6, { ...at, verdict: doubted }).decision).toBe('wait');
  expect(rare(7, 7, { ...at, verdict: rare(6, 1) }).decision).toBe('good');
});

const WITH_PROBES = { ...PROBES, passed: 2 };

test.each([
  ['have not run', { unknown: ['total'] }, 'wait', 'wait'],
  ['had another answer once', { unsettled: ['total'] }, 'wait', 'good'],
] as const)('a step waits for probes that %s, however good its calls are', (_what, more, decision, ignoring) => {
  const judged = (thresholds: Rollout['thresholds'], stepSeconds = 10) =>
    judge({ ...ROLLOUT, thresholds, stepSeconds }, [STABLE, sample('candidate', 30, { ms: 50 })], {
      ...WITH_PROBES,
      ...more,
    });
  expect(judged({})).toMatchObject({ decision, awaits: 'probes', reason: expect.stringContaining('total') });
  expect(judged({ changed_answers: 'ignore' }).decision).toBe(ignoring);
  // And not for ever.
  expect(judged({}, 400)).toMatchObject({ decision: 'ask', reason: expect.stringContaining('total') });
});
