import { expect, test } from '@jest/globals';
import type { Rollout, Sample } from '#libs/rollouts';
import { judge, type Verdict } from './judge.js';
import type { ProbeFindings } from './probes.js';
import { PROBES, ROLLOUT, sample } from './samples.fixture.js';

const STABLE = sample('stable', 200);
const criteriaOf = (...samples: Sample[]) =>
  judge(ROLLOUT, [STABLE, ...samples], undefined).findings.map(({ criterion, tool }) => [criterion, tool]);

test('a candidate that is like the stable release is good', () => {
  const verdict = judge(ROLLOUT, [STABLE, sample('candidate', 20)], undefined);
  expect(verdict).toMatchObject({
    decision: 'good',
    findings: [],
    baseline: 'step',
    candidate: { calls: 20, errors: 0 },
  });
});

test.each([
  ['errors', { errors: 5 }],
  ['arguments', { argumentFailures: 5 }],
  ['breaker', { breakerRefusals: 4 }],
  ['crashes', { crashes: 4 }],
] as const)('too many %s are bad, overall and for their tool', (criterion, counts) => {
  expect(criteriaOf(sample('candidate', 25, counts))).toEqual([
    [criterion, undefined],
    [criterion, 'echo'],
  ]);
});

test('calls that are slow are bad, and a few that happen to be slow are not', () => {
  expect(criteriaOf(sample('candidate', 50, { ms: 400 }))).toContainEqual(['latency', undefined]);
  expect(criteriaOf(sample('candidate', 48), sample('candidate', 2, { ms: 400 }))).toEqual([]);
});

test('what is found at a hundred tools is said in a few sentences', () => {
  const tools = Array.from({ length: 100 }, (_, at) => `tool-${at}`);
  const samples = tools.flatMap((tool) => [
    sample('stable', 200, { tool }),
    sample('candidate', 100, { tool, errors: 90 }),
  ]);
  const { findings, reason } = judge(ROLLOUT, samples, undefined);
  expect([findings.length, reason]).toEqual([50, expect.stringMatching(/And 96 more findings\.$/)]);
});

test('one tool that fails is found among many that do not', () => {
  const others = [sample('candidate', 400, { tool: 'other' }), sample('stable', 4_000, { tool: 'other' })];
  expect(criteriaOf(...others, sample('candidate', 30, { errors: 6 }))).toContainEqual(['errors', 'echo']);
});

test('too little traffic waits, unless every probe has passed, and a probe that fails is bad', () => {
  const few = [STABLE, sample('candidate', 19, { errors: 1 })];
  expect(judge(ROLLOUT, few, undefined)).toMatchObject({ decision: 'wait' });
  expect(judge(ROLLOUT, [], undefined)).toMatchObject({ decision: 'wait', baseline: 'none' });
  const probes: ProbeFindings = { ...PROBES, different: ['total'] };
  expect(judge(ROLLOUT, few, probes)).toMatchObject({
    decision: 'good',
    probes: { passed: 3, of: 3, different: ['total'] },
  });
  expect(judge(ROLLOUT, few, { ...probes, passed: 2 })).toMatchObject({ decision: 'wait' });
  expect(judge(ROLLOUT, [STABLE, sample('candidate', 19, { errors: 5 })], probes)).toMatchObject({ decision: 'wait' });
  const failed = [{ probe: 'total', reason: '7 instead of 8' }];
  expect(judge(ROLLOUT, few, { ...probes, passed: 2, failed })).toMatchObject({
    decision: 'bad',
    reason: 'Probe total passes on the stable release and fails on the candidate: 7 instead of 8.',
  });
});

test('where the stable release has no calls left in the step, those of the whole rollout are compared', () => {
  const before = { ...STABLE, step: 0 };
  const verdict = judge(ROLLOUT, [before, sample('candidate', 100, { errors: 20 })], undefined);
  expect(verdict).toMatchObject({ decision: 'bad', baseline: 'rollout' });
});

test('a stable release’s calls of another time say less about latency', () => {
  const before = { ...STABLE, step: 0 };
  const criteria = (ms: number) =>
    judge(ROLLOUT, [before, sample('candidate', 100, { ms })], undefined).findings.map(({ criterion }) => criterion);
  expect([criteria(250), criteria(600)]).toEqual([[], ['latency', 'latency']]);
});

test('calls of an earlier step do not speak for the candidate of this one', () => {
  const earlier = { ...sample('candidate', 500), step: 0 };
  expect(judge(ROLLOUT, [STABLE, earlier], undefined).decision).toBe('wait');
});

/** The judgements of looks one after another, each at this many seconds of the step and these samples. */
function looked(looks: ReadonlyArray<readonly [seconds: number, ...samples: Sample[]]>, rollout = ROLLOUT): Verdict[] {
  let verdict: unknown = null;
  return looks.map(([stepSeconds, ...samples]) => {
    const judged = judge({ ...rollout, steps: [], drainSeconds: 600, stepSeconds, verdict }, samples, undefined);
    verdict = judged;
    return judged;
  });
}

test('the numbers are looked at after a quarter more calls or ten seconds, and each look may spend less', () => {
  const at = (seconds: number, calls: number) => [seconds, STABLE, sample('candidate', calls)] as const;
  const verdicts = looked([at(1, 20), at(2, 21), at(3, 24), at(4, 25), at(5, 25), at(13, 26), at(14, 27), at(15, 27)]);
  expect(verdicts.map(({ looks }) => [looks.taken, looks.calls])).toEqual([
    [1, 20],
    [1, 20],
    [1, 20],
    [2, 25],
    [2, 25],
    [2, 25],
    [3, 27],
    [3, 27],
  ]);
  const bad = (calls: number) => [20, STABLE, sample('candidate', calls, { errors: calls / 2 })] as const;
  const significanceOf = ({ findings }: Verdict | Record<'findings', never[]> = { findings: [] }) =>
    findings[0]?.significance;
  const [first] = looked([bad(20)]);
  const second = looked([at(1, 20), bad(40)])[1];
  // Half of 0.01 for all calls together, a seventh of that for errors; a half of it at the first look, a sixth at the next.
  expect(significanceOf(first)).toBeCloseTo(0.01 / 2 / 7 / 2, 10);
  expect(significanceOf(second)).toBeCloseTo(0.01 / 2 / 7 / 6, 10);
});

test('between two looks nothing is found, and when the step’s time is over there is a last one', () => {
  const fine = sample('candidate', 100);
  const failing = sample('candidate', 110, { errors: 20 });
  const decisions = (steps: Rollout['steps']) => {
    const rollout = { ...ROLLOUT, steps, step: 0 };
    const of = (one: Sample): Sample => ({ ...one, step: 0 });
    const before = judge({ ...rollout, stepSeconds: 4 }, [of(STABLE), of(fine)], undefined);
    return judge({ ...rollout, stepSeconds: 5, verdict: before }, [of(STABLE), of(failing)], undefined).decision;
  };
  expect(decisions([{ percent: 10, seconds: 60 }])).toBe('wait');
  expect(decisions([{ percent: 10, seconds: 5 }])).toBe('bad');
});

test('a step that begins anew, or another one, has looks of its own', () => {
  const [before] = looked([[1, STABLE, sample('candidate', 100)]]);
  const next = judge({ ...ROLLOUT, verdict: { ...before, step: 0 } }, [STABLE, sample('candidate', 20)], undefined);
  expect(next.looks).toMatchObject({ taken: 1, calls: 20 });
});

test('what looks worse without being proven waits for more calls', () => {
  const verdict = judge(ROLLOUT, [STABLE, sample('candidate', 20, { errors: 2 })], undefined);
  expect(verdict).toMatchObject({ decision: 'wait', findings: [], reason: expect.stringContaining('2 of 20') });
});

test('an upstream that fails for both is not the candidate’s fault, whichever release’s breaker opens first', () => {
  const stable = { ...STABLE, errors: 180 };
  const found = (counts: Partial<Sample>) =>
    judge(ROLLOUT, [stable, sample('candidate', 100, counts)], undefined).findings;
  expect(found({ errors: 90, breakerRefusals: 80 })).toEqual([]);
  const other = { ...STABLE, errors: 4 };
  expect(judge(ROLLOUT, [other, sample('candidate', 10, { breakerRefusals: 8, errors: 8 })], undefined)).toMatchObject({
    decision: 'bad',
    findings: [{ criterion: 'breaker', candidate: 0.8, stable: 0.02 }, { criterion: 'breaker' }],
  });
});

test('a 95th percentile over its limit is bad where the stable release keeps to it, and not where neither does', () => {
  const slow = (stableMs: number, ms: number, thresholds: Rollout['thresholds'] = {}) =>
    judge(
      { ...ROLLOUT, thresholds },
      [sample('stable', 400, { ms: stableMs }), sample('candidate', 100, { ms })],
      undefined,
    ).findings[0]?.allowed;
  expect([slow(1_700, 2_400), slow(2_400, 2_900), slow(1_700, 1_900)]).toEqual([2_000, undefined, undefined]);
  expect([slow(200, 290), slow(200, 290, { p95_ms_max: 220 })]).toEqual([undefined, 220]);
});

test.each([
  ['errors', { errors: 10 }, { error_rate_increase: 9 }],
  ['arguments', { argumentFailures: 10 }, { validation_failure_increase: 9 }],
  ['latency', { ms: 240 }, { p95_increase: 4 }],
  ['errors', { errors: 10 }, { min_samples: 200 }],
  ['errors', { errors: 10 }, { alpha: 1e-6 }],
] as const)('a rollout’s own threshold decides about %s', (criterion, counts, thresholds) => {
  const stable = sample('stable', 300, { errors: 9, argumentFailures: 9, ms: 60 });
  const candidate = sample('candidate', 60, { ms: 60, ...counts });
  const decided = (given: Rollout['thresholds']) =>
    judge({ ...ROLLOUT, thresholds: given }, [stable, candidate], undefined).findings.map((found) => found.criterion);
  expect(decided({})).toContain(criterion);
  expect(decided(thresholds)).toEqual([]);
});

test('a reason has the numbers that it rests on', () => {
  const { reason } = judge(ROLLOUT, [STABLE, sample('candidate', 25, { errors: 5 })], undefined);
  expect(reason).toMatch(
    /^20\.0 % of calls failed, with the stable release 0\.0 % \(5 of 25 against 0 of 200; up to 0\.0 % are allowed; p = \S+, below 0\.00036\)\./,
  );
});

test('a probe’s other answer asks somebody, is bad where the rollout says so, and is waited for where it is not sure', () => {
  const changed = [{ id: 'p', probe: 'total', readsOnly: true }];
  const samples = [STABLE, sample('candidate', 20)];
  const decided = (probes: Partial<ProbeFindings>, thresholds: Rollout['thresholds'] = {}) =>
    judge({ ...ROLLOUT, thresholds }, samples, { ...PROBES, ...probes });
  expect(decided({ changed })).toMatchObject({ decision: 'ask', reason: expect.stringContaining('total') });
  expect(decided({ changed }).probes?.changed).toEqual(['p']);
  expect(decided({ changed }, { changed_answers: 'roll_back' })).toMatchObject({ decision: 'bad' });
  const writing = changed.map((one) => ({ ...one, readsOnly: false }));
  expect(decided({ changed: writing }, { changed_answers: 'roll_back' }).decision).toBe('ask');
  expect(decided({ unsettled: ['total'] }).decision).toBe('wait');
  expect(decided({ changed, unsettled: ['total'] }, { changed_answers: 'ignore' }).decision).toBe('good');
});

test('a shadow’s answers must be the stable release’s', () => {
  const shadow = { ...ROLLOUT, strategy: 'shadow' as const };
  const samples = [STABLE, sample('candidate', 100, { differences: 20 })];
  expect(judge(shadow, [STABLE, sample('candidate', 100, { differences: 10 })], undefined).decision).toBe('wait');
  expect(judge(shadow, samples, undefined)).toMatchObject({
    decision: 'bad',
    findings: [{ criterion: 'differences' }],
  });
});
