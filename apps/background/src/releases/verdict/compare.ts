import type { Thresholds } from '#libs/rollouts';
import { GRAVE_HITS_MIN, GRAVE_SAMPLES_MIN, RATE_CRITERIA, type RateCriterion } from './criteria.js';
import { fisherGreater } from './statistics/fisher.js';
import { compareLatencies, type SlowFinding } from './latency.js';
import type { Tally } from './tally.js';

/** Why a candidate is bad, with the numbers. */
export interface Finding {
  readonly criterion: RateCriterion['criterion'] | 'latency' | 'differences' | 'probes';
  /** A tool's name; absent where it is about all calls. */
  readonly tool?: string;
  readonly candidate: number;
  readonly stable: number | null;
  /** What would not have been too much: a share, or milliseconds. */
  readonly allowed?: number;
  /** How likely this, or more, would be if both releases were alike, and what it is less than. */
  readonly p?: number;
  readonly significance?: number;
  readonly sentence: string;
}

/** What is compared, and how. */
export interface Comparison {
  readonly thresholds: Thresholds;
  /** This comparison's share of it, for rates and latencies, and for what is grave. */
  readonly significance: number;
  readonly graveSignificance: number;
  /** Whether both releases' calls are of one step. */
  readonly sameTime: boolean;
  /** Undefined: all of them. */
  readonly tool?: string;
  /** A proof takes the candidate away; a doubt only waits for more calls, so that fewer of them do. */
  readonly wanted: 'proof' | 'doubt';
}

/** What is worse at the candidate, for one tool or overall. */
export function compare(candidate: Tally, stable: Tally, comparison: Comparison): Finding[] {
  const rates = RATE_CRITERIA.flatMap((criterion) => compareRates(candidate, stable, criterion, comparison) ?? []);
  const slow = compareLatencies(candidate, stable, comparison);
  return slow === undefined ? rates : [...rates, slowFinding(slow, comparison)];
}

function compareRates(
  candidate: Tally,
  stable: Tally,
  { criterion, what, count, against, increase, isGrave }: RateCriterion,
  { thresholds, tool, ...given }: Comparison,
): Finding | undefined {
  const few = Math.min(GRAVE_SAMPLES_MIN, thresholds.min_samples);
  const isDoubt = given.wanted === 'doubt';
  if (candidate.calls < (isGrave || isDoubt ? few : thresholds.min_samples)) return undefined;
  if (stable.calls < (isDoubt ? few : thresholds.min_samples)) return undefined;
  const [mine, theirs] = [
    { hits: count(candidate), of: candidate.calls },
    { hits: against(stable), of: stable.calls },
  ];
  if ((isGrave || mine.of < thresholds.min_samples) && mine.hits < GRAVE_HITS_MIN) return undefined;
  const share = mine.hits / mine.of;
  const allowed = (theirs.hits / theirs.of) * (1 + increase(thresholds));
  if (share <= allowed) return undefined;
  const significance = isGrave ? given.graveSignificance : given.significance;
  const p = fisherGreater(mine, theirs);
  if (p >= significance) return undefined;
  const sentence =
    `${placeOf(tool)}${percent(share)} ${what}, with the stable release ${percent(theirs.hits / theirs.of)} ` +
    `(${mine.hits} of ${mine.of} against ${theirs.hits} of ${theirs.of}; up to ${percent(allowed)} are allowed; ` +
    `${chance(p, significance)}).`;
  const named = tool === undefined ? {} : { tool };
  return { criterion, ...named, candidate: share, stable: theirs.hits / theirs.of, allowed, p, significance, sentence };
}

function slowFinding(slow: SlowFinding, { tool, significance }: Comparison): Finding {
  const sentence =
    `${placeOf(tool)}95 of 100 calls took up to ${slow.candidate} ms, with the stable release ${slow.stable} ms ` +
    `(up to ${slow.allowed} ms are allowed; ${chance(slow.p, significance)}).`;
  return { criterion: 'latency', ...(tool === undefined ? {} : { tool }), ...slow, significance, sentence };
}

/** How unlikely something is by chance, as people read it. */
export function chance(p: number, significance: number): string {
  return `p = ${p.toPrecision(2)}, below ${significance.toPrecision(2)}`;
}

function placeOf(tool: string | undefined): string {
  return tool === undefined ? '' : `${tool}: `;
}

/** A share as people read it. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
