import { latencyClass, latencyOfClass, percentile, type Thresholds } from '#libs/rollouts';
import { ADDED_MS, LATENCY_SAMPLES, OF_ANOTHER_TIME } from './criteria.js';
import { fisherGreater } from './statistics/fisher.js';
import { mannWhitneyGreater } from './statistics/mann-whitney.js';
import type { Tally } from './tally.js';

const ROUNDING = 1e-9;
/** Every p is below it: so few calls prove nothing, and a 95th percentile that is too high is doubtful as it is. */
const ANY = 1.01;

/** A candidate whose calls take too long: its 95th percentile, the stable release's and what would have been allowed, in ms. */
export interface SlowFinding {
  readonly candidate: number;
  readonly stable: number;
  readonly allowed: number;
  readonly p: number;
}

/** What latencies are held against. */
export interface LatencyComparison {
  readonly thresholds: Thresholds;
  readonly significance: number;
  /** Whether both releases' calls are of one step. */
  readonly sameTime: boolean;
  /** A doubt needs half as many calls, and over all tools no significance until there are enough for a proof. */
  readonly wanted: 'proof' | 'doubt';
  readonly tool?: string;
}

/** Whether the candidate's calls are slower than the stable release's, or over a limit that those keep. */
export function compareLatencies(candidate: Tally, stable: Tally, held: LatencyComparison): SlowFinding | undefined {
  const mine = percentile(candidate.latencies, 0.95);
  const theirs = percentile(stable.latencies, 0.95);
  const calls = Math.min(candidate.calls, stable.calls);
  const isProvable = calls >= LATENCY_SAMPLES * held.thresholds.min_samples;
  const enough = isProvable || (held.wanted === 'doubt' && calls >= held.thresholds.min_samples);
  if (mine === undefined || theirs === undefined || !enough) return undefined;
  const significance = isProvable || held.tool !== undefined ? held.significance : ANY;
  const found = { candidate: Math.round(mine), stable: Math.round(theirs) };
  const [slower, over] = [slowerThan(theirs, held), held.thresholds.p95_ms_max];
  if (mine > slower) {
    const p = mannWhitneyGreater(candidate.latencies, stable.latencies);
    if (p < significance) return { ...found, allowed: Math.round(slower), p };
  }
  if (isWithin(mine, over) || !isWithin(theirs, over)) return undefined;
  const p = fisherGreater(overLimit(candidate, over), overLimit(stable, over));
  return p < significance ? { ...found, allowed: over, p } : undefined;
}

function slowerThan(stableMs: number, { thresholds, sameTime }: LatencyComparison): number {
  const { increase, addedMs } = sameTime
    ? { increase: thresholds.p95_increase, addedMs: ADDED_MS }
    : { increase: Math.max(thresholds.p95_increase, OF_ANOTHER_TIME.increase), addedMs: OF_ANOTHER_TIME.addedMs };
  return Math.max(stableMs * (1 + increase), stableMs + addedMs);
}

/** Latencies are known to their class: what is in the limit's own class counts as within. */
export function isWithin(ms: number, limitMs: number): boolean {
  return ms <= latencyOfClass(latencyClass(limitMs)) * (1 + ROUNDING);
}

function overLimit({ calls, latencies }: Tally, limitMs: number): { hits: number; of: number } {
  const hits = latencies.slice(latencyClass(limitMs) + 1).reduce((sum, count) => sum + count, 0);
  return { hits, of: calls };
}
