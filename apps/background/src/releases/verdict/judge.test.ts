import { expect, test } from '@jest/globals';
import { LATENCY_CLASSES, latencyClass, type Rollout, type Sample } from '#libs/rollouts';
import { judge } from './judge.js';

const ROLLOUT: Rollout = {
  tenantId: 't',
  id: 'r',
  serverId: 's',
  stableReleaseId: 'stable',
  candidateReleaseId: 'candidate',
  strategy: 'canary',
  steps: [{ percent: 100, seconds: 1 }],
  drainSeconds: 1,
  previousMajorUntil: null,
  overrideSchedule: false,
  state: 'running',
  step: 1,
  percent: 10,
  stepStartedAt: new Date(),
  stepSeconds: 10,
  verdict: null,
  verdicts: [],
  reason: null,
  createdAt: new Date(),
  endedAt: null,
};

function sample(releaseId: string, calls: number, more: Partial<Sample> & { readonly ms?: number } = {}): Sample {
  const { ms = 5, ...counts } = more;
  const latencies = Array<number>(LATENCY_CLASSES).fill(0);
  latencies[latencyClass(ms)] = calls;
  const none = { errors: 0, argumentFailures: 0, breakerRefusals: 0, crashes: 0, differences: 0 };
  return { rolloutId: 'r', step: 1, releaseId, tool: 'echo', calls, ...none, latencies, ...counts };
}

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
  expect(criteriaOf(...others, sample('candidate', 30, { errors: 4 }))).toContainEqual(['errors', 'echo']);
});

test('too little traffic waits, unless every probe has passed, and a probe that fails is bad', () => {
  const few = [STABLE, sample('candidate', 19, { errors: 1 })];
  expect(judge(ROLLOUT, few, undefined)).toMatchObject({ decision: 'wait' });
  expect(judge(ROLLOUT, [], undefined)).toMatchObject({ decision: 'wait', baseline: 'none' });
  const probes = { enabled: 3, passed: 3, failed: [], different: ['total'] };
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

test('a shadow’s answers must be the stable release’s', () => {
  const shadow = { ...ROLLOUT, strategy: 'shadow' as const };
  const samples = [STABLE, sample('candidate', 100, { differences: 10 })];
  expect(judge(shadow, samples, undefined)).toMatchObject({
    decision: 'bad',
    findings: [{ criterion: 'differences' }],
  });
});
