import { describe, expect, test } from '@jest/globals';
import { retryWaitMs, type Attempt } from './retry-wait.js';
import { UpstreamFailure, type Retry } from './upstream-failure.js';

const DRAWS = 10_000;
const answered = (status: number, headers: Readonly<Record<string, string>> = {}): Attempt => ({
  kind: 'answered',
  answer: { status, headers, body: Buffer.alloc(0) },
});
const failed = (retry: Retry): Attempt => ({ kind: 'failed', failure: new UpstreamFailure('connect', '', { retry }) });

describe('the wait before another attempt', () => {
  test.each([
    [0, 100],
    [1, 200],
    [3, 800],
    [20, 2_000],
  ])('after %i of them is as likely anywhere up to %i ms', (retries, mostMs) => {
    const tenths = Array<number>(10).fill(0);
    for (let draw = 0; draw < DRAWS; draw += 1) {
      const waitMs = retryWaitMs(answered(503), true, retries) ?? -1;
      const tenth = Math.floor((waitMs / mostMs) * 10);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    // A tenth has a thousand of ten thousand; seven standard deviations are 210.
    expect(tenths).toHaveLength(10);
    for (const count of tenths) expect(Math.abs(count - DRAWS / 10)).toBeLessThan(210);
  });

  test('is spread behind what the upstream asks for too, so that those it sent away do not come back as one', () => {
    const asked = answered(503, { 'retry-after': '3' });
    expect([0, 0.5, 0.99].map((chance) => retryWaitMs(asked, true, 0, () => chance))).toEqual([3_000, 3_050, 3_099]);
  });
});

describe('another attempt', () => {
  test.each(['always', 'idempotent', 'never'] as const)('after a failure that allows it %s', (retry) => {
    const allowed = [true, false].map((idempotent) => retryWaitMs(failed(retry), idempotent, 0) !== undefined);
    expect(allowed).toEqual([retry !== 'never', retry === 'always']);
  });

  test.each([200, 301, 400, 404, 408, 409, 429, 500, 501, 502, 503, 504, 505])('after %i', (status) => {
    const allowed = [true, false].map((idempotent) => retryWaitMs(answered(status), idempotent, 0) !== undefined);
    expect(allowed).toEqual([[502, 503, 504].includes(status), false]);
  });
});
