import { LATENCY_CLASSES, percentile, type Sample } from '#libs/rollouts';

/** What is compared of two releases: sums over samples. */
export interface Tally {
  readonly calls: number;
  readonly errors: number;
  readonly argumentFailures: number;
  readonly breakerRefusals: number;
  readonly crashes: number;
  readonly differences: number;
  readonly latencies: readonly number[];
}

/** A tally as verdicts show it. */
export interface TallyView {
  readonly calls: number;
  readonly errors: number;
  readonly argument_failures: number;
  readonly breaker_refusals: number;
  readonly crashes: number;
  readonly differences: number;
  readonly p95_ms: number | null;
}

/** Adds samples up. */
export function tallyOf(samples: readonly Sample[]): Tally {
  const sum = (of: (sample: Sample) => number): number => samples.reduce((total, sample) => total + of(sample), 0);
  return {
    calls: sum((sample) => sample.calls),
    errors: sum((sample) => sample.errors),
    argumentFailures: sum((sample) => sample.argumentFailures),
    breakerRefusals: sum((sample) => sample.breakerRefusals),
    crashes: sum((sample) => sample.crashes),
    differences: sum((sample) => sample.differences),
    latencies: Array.from({ length: LATENCY_CLASSES }, (_, index) => sum((sample) => sample.latencies[index] ?? 0)),
  };
}

/** A tally for people. */
export function viewOf(tally: Tally): TallyView {
  const p95 = percentile(tally.latencies, 0.95);
  return {
    calls: tally.calls,
    errors: tally.errors,
    argument_failures: tally.argumentFailures,
    breaker_refusals: tally.breakerRefusals,
    crashes: tally.crashes,
    differences: tally.differences,
    p95_ms: p95 === undefined ? null : Math.round(p95),
  };
}
