import { expect, test } from '@jest/globals';
import { agrees, comparisonsOf, type Run } from './comparison.js';
import { FIGURES, type Figures } from './formula.js';
import type { Part, Reading } from './reading.js';

const TENANTS = 6;
const CALLS = 2_400;
const ROUNDS = 5;
const SECOND = 1_000;
const PARTS = Object.keys(FIGURES.bareCalls) as Part[];

/** A run that took what the figures say, on a machine of which others use a share. */
function runBy(figures: Figures, { others = 0, idleMsPerSecond = 20 } = {}): Run {
  const reading = (at: number, sessions: number, calls: number): Reading => {
    const spent = (part: Part): number =>
      (calls * figures.bareCalls[part] * figures.bareCallUs) / 1_000 + idleMsPerSecond * at;
    const cpuMs = Object.fromEntries(PARTS.map((part) => [part, spent(part)])) as Record<Part, number>; // each of them
    const ownCpuMs = PARTS.reduce((sum, part) => sum + spent(part), 0);
    return {
      atMs: at * SECOND,
      workers: TENANTS,
      workersMb: TENANTS * figures.workerMb + (sessions * figures.sessionWorkerKb) / 1024,
      sessionsBytes: sessions * figures.sessionRedisBytes,
      auditBytes: 5e6 + calls * figures.auditBytesPerCall,
      cpuMs,
      ownCpuMs,
      machineCpuMs: ownCpuMs + others * at * SECOND * 2,
    };
  };
  const rounds = Array.from({ length: ROUNDS }, (_, index) => reading(20 + 10 * index, 270, CALLS * (index + 1)));
  return {
    tenants: TENANTS,
    sessionsBefore: 30,
    sessionsOpened: 240,
    callsOfRound: CALLS,
    processors: 2,
    bareCallUs: figures.bareCallUs,
    before: reading(0, 30, 0),
    idle: reading(5, 270, 0),
    rested: reading(10, 270, 0),
    rounds,
  };
}

const apart = (run: Run, figures?: Figures): string[] =>
  comparisonsOf(run, figures)
    .filter((comparison) => !agrees(comparison))
    .map(({ what }) => what);

test('a run that took what the figures say is what the formula says of its load', () => {
  for (const { predicted, measured } of comparisonsOf(runBy(FIGURES))) expect(measured / predicted).toBeCloseTo(1, 6);
  expect(apart(runBy(FIGURES))).toEqual([]);
});

test.each([
  ['workerMb', { ...FIGURES, workerMb: FIGURES.workerMb * 1.4 }, /memory of workers/],
  ['sessionRedisBytes', { ...FIGURES, sessionRedisBytes: FIGURES.sessionRedisBytes * 1.4 }, /^Redis for the sessions/],
  [
    'auditBytesPerCall',
    { ...FIGURES, auditBytesPerCall: FIGURES.auditBytesPerCall / 1.4 },
    /^PostgreSQL for the calls/,
  ],
  ['sessionWorkerKb', { ...FIGURES, sessionWorkerKb: 500 }, /with all sessions/],
  ...PARTS.flatMap((part): Array<[string, Figures, RegExp]> =>
    [2.1, 1 / 2.1].map((by) => [
      `bareCalls.${part} × ${by.toFixed(2)}`,
      { ...FIGURES, bareCalls: { ...FIGURES.bareCalls, [part]: FIGURES.bareCalls[part] * by } },
      new RegExp(`^CPU of ${part} `),
    ]),
  ),
])('a machine whose %s is another one fails', (_what, figures, what) => {
  // Both ways: the run takes what the formula does not say, and the formula says what the run does not take.
  expect(apart(runBy(figures)).join('\n')).toMatch(new RegExp(what.source, 'm'));
  expect(apart(runBy(FIGURES), figures).join('\n')).toMatch(new RegExp(what.source, 'm'));
});

test('a machine that takes twice as long for everything, the bare server too, is one that the formula knows', () => {
  expect(apart(runBy({ ...FIGURES, bareCallUs: FIGURES.bareCallUs * 2.3 }))).toEqual([]);
});

test('one worker too many or too few fails, and so does what is no number', () => {
  const run = runBy(FIGURES);
  for (const workers of [TENANTS - 1, TENANTS + 1, Number.NaN])
    expect(apart({ ...run, before: { ...run.before, workers } })).toEqual(['workers']);
});

test('CPU is not judged where others use the machine, and everything else is', () => {
  const dear = { ...FIGURES, auditBytesPerCall: 5_000, bareCalls: { ...FIGURES.bareCalls, gateway: 25 } };
  expect(apart(runBy(dear, { others: 0.05 }))).toEqual([
    'PostgreSQL for the calls, kB',
    `CPU of gateway for ${CALLS} calls, ms`,
  ]);
  expect(apart(runBy(dear, { others: 0.2 }))).toEqual(['PostgreSQL for the calls, kB']);
});
