import { expect, test } from '@jest/globals';
import { DEFAULT_THRESHOLDS } from '#libs/rollouts';
import { randomOf, simulate, type SimulatedStep } from './simulation.fixture.js';

/** What a verdict is worth, by simulation: the same numbers at every run. */
const STEPS = 500;
const base = { seconds: 40, callsPerSecond: 150, share: 0.1, tools: 1 } as const;

function runs(step: SimulatedStep, steps = STEPS) {
  const random = randomOf(7);
  return Array.from({ length: steps }, () => simulate(step, random));
}

test.each([
  ['600 of 6,000 calls, half a percent fails', { errors: 0.005 }, {}],
  ['600 of 6,000 calls, two percent fail', { errors: 0.02 }, {}],
  ['600 of 6,000 calls, five percent fail', { errors: 0.05 }, {}],
  ['3,000 of 6,000 calls, five percent fail', { errors: 0.05 }, { share: 0.5 }],
  ['600 of 6,000 calls of 8 tools, two percent fail', { errors: 0.02 }, { tools: 8 }],
  ['120 of 1,200 calls, five percent fail', { errors: 0.05 }, { callsPerSecond: 30 }],
  ['a limit that every twentieth call passes', { errors: 0.01, medianMs: 540 }, { share: 0.5 }],
] as const)('equal releases: %s', (what, behaviour, more) => {
  const seen = runs({ ...base, ...more, stable: behaviour, candidate: behaviour });
  const bad = seen.filter(({ decision }) => decision === 'bad');
  const good = seen.filter(({ decision }) => decision === 'good');
  process.stdout.write(`  equal, ${what}: bad ${bad.length}, good ${good.length} of ${seen.length}\n`);
  expect(bad.length / seen.length).toBeLessThanOrEqual(DEFAULT_THRESHOLDS.alpha);
  expect(good.length / seen.length).toBeGreaterThan(0.7);
});

test.each([
  ['20 % errors against 0 %', { errors: 0 }, { errors: 0.2 }, 60, {}],
  ['20 % errors against 2 %', { errors: 0.02 }, { errors: 0.2 }, 130, {}],
  ['20 % errors against 5 %', { errors: 0.05 }, { errors: 0.2 }, 250, {}],
  ['20 % errors against 2 %, at 8 tools', { errors: 0.02 }, { errors: 0.2 }, 130, { tools: 8 }],
  ['half of the calls crash', { errors: 0.01 }, { errors: 0.01, crashes: 0.5 }, 30, {}],
  ['every call crashes', { errors: 0.01 }, { errors: 0, crashes: 1 }, 12, {}],
  ['twice as slow and 100 ms more', { errors: 0, medianMs: 100 }, { errors: 0, medianMs: 220 }, 120, {}],
  ['10 % errors against 5 %', { errors: 0.05 }, { errors: 0.1 }, 3_000, { share: 0.5 }],
] as const)('bad: %s', (what, stable, candidate, most, more) => {
  const seen = runs({ ...base, ...more, callsPerSecond: 25, seconds: 300, stable, candidate }, 100);
  const bad = seen.filter(({ decision }) => decision === 'bad');
  const after = bad.map(({ candidateCalls }) => candidateCalls).toSorted((left, right) => left - right);
  const at = (part: number): number => after[Math.floor(part * after.length)] ?? 0;
  process.stdout.write(`  ${what}: found ${bad.length} of ${seen.length}, after ${at(0.5)}, 95 %: ${at(0.95)} calls\n`);
  expect(bad.length).toBe(seen.length);
  expect(at(0.95)).toBeLessThanOrEqual(most);
});
