import type { Sample, Thresholds } from '#libs/rollouts';
import { chance, compare, percent, type Comparison, type Finding } from './compare.js';
import { DOUBT, ERROR_RATE_MAX_ALONE, TESTS } from './criteria.js';
import type { Look } from './looks.js';
import { binomialGreater } from './statistics/binomial.js';
import { tallyOf, type Tally } from './tally.js';

/** What is compared at a step. */
export interface Compared {
  /** The candidate's samples of the step, and those of the stable release that they are compared with. */
  readonly mine: readonly Sample[];
  readonly theirs: readonly Sample[];
  readonly candidate: Tally;
  readonly stable: Tally;
  /** Whether those are of the step too, or of the whole rollout; `none`: too few. */
  readonly baseline: 'step' | 'rollout' | 'none';
  readonly thresholds: Thresholds;
  readonly isShadow: boolean;
}

/** What is worse at the candidate: half of the look's alpha is for all calls together, half for the tools. */
export function compareSteps(compared: Compared, look: Look): Finding[] {
  const overall = comparisonOf(compared, look, TESTS * 2);
  const each = comparisonOf(compared, look, TESTS * 2 * toolsOf(compared).length);
  return [...compareOverall(compared, overall), ...compareTools(compared, each)];
}

/** What looks worse at all calls together without being proven: nothing that the next step's callers should meet. */
export function doubtsOverall(compared: Compared): Finding[] {
  return compareOverall(compared, doubtful(compared, 1));
}

/** What looks worse at a tool without being proven: also one that is called too rarely to be seen among all calls. */
export function doubtsAtTools(compared: Compared): Finding[] {
  return compareTools(compared, doubtful(compared, toolsOf(compared).length));
}

function doubtful({ thresholds, baseline }: Compared, parts: number): Comparison {
  const significance = DOUBT / parts;
  return { thresholds, significance, graveSignificance: significance, sameTime: baseline === 'step', wanted: 'doubt' };
}

function toolsOf({ mine }: Compared): string[] {
  return [...new Set(mine.map(({ tool }) => tool))].filter((tool) => tool !== '');
}

function compareTools(compared: Compared, comparison: Comparison): Finding[] {
  const of = (samples: readonly Sample[], tool: string): Tally => tallyOf(samples.filter((one) => one.tool === tool));
  const { mine, theirs } = compared;
  return toolsOf(compared).flatMap((tool) => compare(of(mine, tool), of(theirs, tool), { ...comparison, tool }));
}

function compareOverall(compared: Compared, comparison: Comparison): Finding[] {
  return [
    ...compare(compared.candidate, compared.stable, comparison),
    ...alone(compared, comparison.significance),
    ...differences(compared, comparison.significance),
  ];
}

/** A comparison with its part of the look's alpha. */
function comparisonOf({ thresholds, baseline }: Compared, { alpha, graveAlpha }: Look, parts: number): Comparison {
  return {
    thresholds,
    significance: alpha / parts,
    graveSignificance: graveAlpha / parts,
    sameTime: baseline === 'step',
    wanted: 'proof',
  };
}

/** Without anything to compare with, a candidate is bad that fails most of its calls. */
function alone({ candidate, baseline, thresholds }: Compared, significance: number): Finding[] {
  if (baseline !== 'none' || candidate.calls < thresholds.min_samples) return [];
  const p = binomialGreater({ hits: candidate.errors, of: candidate.calls }, ERROR_RATE_MAX_ALONE);
  if (p >= significance) return [];
  const share = candidate.errors / candidate.calls;
  const sentence =
    `${percent(share)} of calls failed (${candidate.errors} of ${candidate.calls}; ${chance(p, significance)}); ` +
    'there are too few of the stable release to compare with.';
  const numbers = { candidate: share, stable: null, allowed: ERROR_RATE_MAX_ALONE, p, significance };
  return [{ criterion: 'errors', ...numbers, sentence }];
}

function differences({ candidate, isShadow, thresholds }: Compared, significance: number): Finding[] {
  const { calls, differences: different } = candidate;
  const allowed = thresholds.difference_rate_max;
  if (!isShadow || calls < thresholds.min_samples || different / calls <= allowed) return [];
  const p = binomialGreater({ hits: different, of: calls }, allowed);
  if (p >= significance) return [];
  const share = different / calls;
  const sentence =
    `${percent(share)} of answers were not those of the stable release ` +
    `(${different} of ${calls}; up to ${percent(allowed)} are allowed; ${chance(p, significance)}).`;
  return [{ criterion: 'differences', candidate: share, stable: 0, allowed, p, significance, sentence }];
}
