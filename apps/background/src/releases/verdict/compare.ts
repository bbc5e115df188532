import { percentile } from '#libs/rollouts';
import { fisherGreater } from './fisher.js';
import { mannWhitneyGreater } from './mann-whitney.js';
import type { Tally } from './tally.js';
import { THRESHOLDS } from './thresholds.js';

/** Why a candidate is bad, with the numbers. */
export interface Finding {
  readonly criterion: 'errors' | 'latency' | 'arguments' | 'breaker' | 'crashes' | 'differences' | 'probes';
  /** A tool's name; absent where it is about all calls. */
  readonly tool?: string;
  readonly candidate: number;
  readonly stable: number | null;
  /** How likely this, or more, would be if both releases were alike. */
  readonly p?: number;
  readonly sentence: string;
}

type Count = 'errors' | 'argumentFailures' | 'breakerRefusals' | 'crashes';

const CRITERIA: ReadonlyArray<{
  readonly count: Count;
  readonly criterion: Finding['criterion'];
  readonly what: string;
  readonly grave?: true;
}> = [
  { count: 'errors', criterion: 'errors', what: 'of calls failed' },
  { count: 'argumentFailures', criterion: 'arguments', what: 'of calls were refused for their arguments' },
  { count: 'breakerRefusals', criterion: 'breaker', what: 'of calls met an open breaker', grave: true },
  { count: 'crashes', criterion: 'crashes', what: 'of calls lost their worker', grave: true },
];

/** What is compared, and how. */
export interface Comparison {
  /** This comparison's share of it. */
  readonly significance: number;
  /** Whether both releases' calls are of one step. */
  readonly sameTime: boolean;
  /** Undefined: all of them. */
  readonly tool?: string;
}

/** What is worse at the candidate, for one tool or overall. */
export function compare(candidate: Tally, stable: Tally, { significance, sameTime, tool }: Comparison): Finding[] {
  const named = tool === undefined ? {} : { tool };
  const rates = CRITERIA.flatMap(({ count, criterion, what, grave }) => {
    const found = compareRates(candidate, stable, count, { significance, grave: grave === true });
    return found === undefined ? [] : [{ criterion, ...named, ...found, sentence: sentenceOf(what, found, tool) }];
  });
  const slow = compareLatencies(candidate, stable, { significance, sameTime });
  if (slow === undefined) return rates;
  const sentence = `${placeOf(tool)}95 of 100 calls took up to ${slow.candidate} ms, with the stable release ${slow.stable} ms.`;
  return [...rates, { criterion: 'latency', ...named, ...slow, sentence }];
}

function compareRates(
  candidate: Tally,
  stable: Tally,
  count: Count,
  { significance, grave }: { readonly significance: number; readonly grave: boolean },
): { candidate: number; stable: number; p: number } | undefined {
  const samplesMin = grave ? THRESHOLDS.grave.samplesMin : THRESHOLDS.samplesMin;
  if (candidate.calls < samplesMin || stable.calls < THRESHOLDS.samplesMin) return undefined;
  if (grave && candidate[count] < THRESHOLDS.grave.hitsMin) return undefined;
  const rates = { candidate: candidate[count] / candidate.calls, stable: stable[count] / stable.calls };
  if (rates.candidate <= rates.stable * THRESHOLDS.rateRatio) return undefined;
  const p = fisherGreater({ hits: candidate[count], of: candidate.calls }, { hits: stable[count], of: stable.calls });
  return p < significance ? { ...rates, p } : undefined;
}

function compareLatencies(
  candidate: Tally,
  stable: Tally,
  { significance, sameTime }: Comparison,
): { candidate: number; stable: number; p: number } | undefined {
  const mine = percentile(candidate.latencies, 0.95);
  const theirs = percentile(stable.latencies, 0.95);
  if (Math.min(candidate.calls, stable.calls) < THRESHOLDS.p95.samplesMin) return undefined;
  if (mine === undefined || theirs === undefined) return undefined;
  const { ratio, addedMs } = sameTime ? THRESHOLDS.p95 : THRESHOLDS.p95OfAnotherTime;
  if (mine <= Math.max(theirs * ratio, theirs + addedMs)) return undefined;
  const p = mannWhitneyGreater(candidate.latencies, stable.latencies);
  return p < significance ? { candidate: Math.round(mine), stable: Math.round(theirs), p } : undefined;
}

function sentenceOf(what: string, rates: { candidate: number; stable: number }, tool: string | undefined): string {
  return `${placeOf(tool)}${percent(rates.candidate)} ${what}, with the stable release ${percent(rates.stable)}.`;
}

function placeOf(tool: string | undefined): string {
  return tool === undefined ? '' : `${tool}: `;
}

/** A share as people read it. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
