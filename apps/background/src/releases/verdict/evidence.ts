import { percentile, type RolloutState } from '#libs/rollouts';
import type { Compared } from './compare-steps.js';
import { FAILURES_BESIDE_PROBES_MAX } from './criteria.js';
import { isWithin } from './latency.js';
import type { ProbeFindings } from './probes.js';

/** What a candidate is that nothing bad was found of, and why. */
export interface Evidence {
  readonly decision: 'good' | 'wait' | 'ask';
  readonly reason: string;
  /** Of `wait`: for more calls because there were few, or because those there were are doubtful, or for probes. */
  readonly awaits?: 'calls' | 'certainty' | 'probes';
}

/** What is known of a candidate that nothing bad was found of. */
export interface Known {
  readonly state: RolloutState;
  /** Whether the step's time was over long ago. */
  readonly isLate: boolean;
  readonly compared: Compared;
  /** What looks worse without being proven. */
  readonly doubt: string | null;
  readonly probes: ProbeFindings | undefined;
}

/** Whether enough is known of a candidate that nothing bad was found of, and whether somebody has to decide. */
export function evidenceFor(known: Known): Evidence {
  const { compared, probes } = known;
  const open = openProbes(known) ?? openDoubt(known);
  if (open !== undefined) return open;
  const { candidate, stable } = compared;
  const missing = missingOf(compared);
  if (missing === undefined) {
    const reason = `${candidate.calls} calls were as good as ${stable.calls} of the stable release.`;
    return { decision: 'good', reason };
  }
  // Too little traffic: probes decide where there are any.
  if (probes !== undefined && passedAll(probes) && isClean(compared))
    return { decision: 'good', reason: `All ${probes.passed} probes passed. ${missing}` };
  return { decision: 'wait', reason: missing, awaits: 'calls' };
}

/** Before a step has ended more calls may come; a drain that nobody calls in is somebody's to end. */
function openDoubt({ state, isLate, doubt }: Known): Evidence | undefined {
  if (doubt === null) return undefined;
  if (state === 'draining' && isLate)
    return { decision: 'ask', reason: `Too few calls came to tell. ${doubt} ${move(state)}` };
  return { decision: 'wait', reason: `More calls have to tell. ${doubt}`, awaits: 'certainty' };
}

function openProbes({ state, isLate, compared: { thresholds }, probes }: Known): Evidence | undefined {
  if (probes === undefined) return undefined;
  const { changed, unsettled, unknown } = probes;
  const answers = thresholds.changed_answers === 'ignore' ? { changed: [], unsettled: [] } : { changed, unsettled };
  if (answers.changed.length > 0) {
    const names = answers.changed.map(({ probe }) => probe).join(', ');
    const reason = `Probes have other answers than on the stable release, run after run: ${names}. ${move(state)}`;
    return { decision: 'ask', reason };
  }
  const waiting = [
    ...(unknown.length === 0
      ? []
      : [`Probes have yet to run on both releases, or to run again: ${unknown.join(', ')}.`]),
    ...(answers.unsettled.length === 0
      ? []
      : [`Probes had other answers and are run again: ${answers.unsettled.join(', ')}.`]),
  ].join(' ');
  if (waiting === '') return undefined;
  if (isLate) return { decision: 'ask', reason: `${waiting} That should have been long ago. ${move(state)}` };
  return { decision: 'wait', reason: waiting, awaits: 'probes' };
}

function move(state: RolloutState): string {
  const on = state === 'draining' ? 'Promote' : 'Resume or promote';
  return `${on} the rollout if that is meant, abort it if not.`;
}

function missingOf({ candidate, baseline, thresholds: { min_samples: enough } }: Compared): string | undefined {
  if (candidate.calls < enough)
    return `The candidate had ${candidate.calls} calls of the ${enough} that a verdict needs.`;
  if (baseline === 'none') return `The stable release had fewer calls than the ${enough} that a verdict needs.`;
  return undefined;
}

function passedAll({ passed, enabled }: ProbeFindings): boolean {
  return enabled > 0 && passed === enabled;
}

function isClean({ candidate, thresholds }: Compared): boolean {
  const { errors, argumentFailures, crashes, latencies, calls } = candidate;
  const p95 = percentile(latencies, 0.95);
  const isSlow = p95 !== undefined && calls >= thresholds.min_samples && !isWithin(p95, thresholds.p95_ms_max);
  return !isSlow && errors + argumentFailures + crashes <= FAILURES_BESIDE_PROBES_MAX;
}
