import { expect, test } from '@jest/globals';
import { isCandidateFor } from './candidate-share.js';
import type { RolloutRoute } from './tenants.repository.js';

const KEYS = Array.from({ length: 10_000 }, (_, index) => `key|${index}`);

function rollout(percent: number, id = '0190b5c2-0000-7000-8000-000000000001'): RolloutRoute {
  const releases = { stableId: 'stable', candidateId: 'candidate', candidateDigest: 'sha256:0', candidateMajor: null };
  return { id, step: 0, ...releases, percent, shadowPercent: 0, readOnlyTools: [], shadowsSessions: false };
}

const chosenAt = (percent: number, id?: string): string[] =>
  KEYS.filter((key) => isCandidateFor(rollout(percent, id), key));

test('of 10,000 callers a tenth is the candidate’s at 10 %, in every rollout another tenth', () => {
  const rollouts = Array.from({ length: 5 }, (_, index) => chosenAt(10, `0190b5c2-0000-7000-8000-00000000000${index}`));
  for (const chosen of rollouts) {
    expect(chosen.length).toBeGreaterThanOrEqual(900);
    expect(chosen.length).toBeLessThanOrEqual(1_100);
  }
  expect(new Set(rollouts.map((chosen) => chosen.join())).size).toBe(5);
});

test('a share that grows keeps every caller it had, up to all of them', () => {
  const shares = [0, 1, 10, 25, 50, 99, 100].map((percent) => new Set(chosenAt(percent)));
  for (const [at, share] of shares.entries()) {
    expect([...(shares[at - 1] ?? [])].filter((key) => !share.has(key))).toEqual([]);
  }
  expect([shares.at(0)?.size, shares.at(-1)?.size]).toEqual([0, KEYS.length]);
  expect(isCandidateFor(null, 'key|1')).toBe(false);
});
