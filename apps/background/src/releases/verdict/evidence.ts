import { percentile, type Rollout } from '#libs/rollouts';
import { compareOverall, type Compared } from './compare-steps.js';
import type { Finding } from './compare.js';
import { DOUBT, FAILURES_BESIDE_PROBES_MAX } from './criteria.js';
import { isWithin } from './latency.js';
import type { ProbeFindings } from './probes.js';

/** What a candidate is that nothing bad was found of, and why. */
export interface Evidence {
  readonly decision: 'good' | 'wait' | 'ask';
  readonly reason: string;
}

/** Whether enough is known of a candidate that nothing bad was found of, and whether somebody has to decide. */
export function evidenceFor(
  rollout: Pick<Rollout, 'state'>,
  compared: Compared,
  probes: ProbeFindings | undefined,
): Evidence {
  const open = openProbes(rollout, compared, probes);
  if (open !== undefined) return open;
  const { candidate, stable } = compared;
  const missing = missingOf(compared);
  if (missing === undefined) {
    const doubt = doubtOf(compared);
    if (doubt !== undefined) return { decision: 'wait', reason: `More calls have to tell. ${doubt.sentence}` };
    const reason = `${candidate.calls} calls were as good as ${stable.calls} of the stable release.`;
    return { decision: 'good', reason };
  }
  // Too little traffic: probes decide where there are any.
  if (probes !== undefined && passedAll(probes) && isClean(compared))
    return { decision: 'good', reason: `All ${probes.passed} probes passed. ${missing}` };
  return { decision: 'wait', reason: missing };
}

function openProbes(
  { state }: Pick<Rollout, 'state'>,
  { thresholds }: Compared,
  probes: ProbeFindings | undefined,
): Evidence | undefined {
  if (probes === undefined || thresholds.changed_answers === 'ignore') return undefined;
  const { changed, unsettled } = probes;
  if (changed.length > 0) {
    const reason =
      `Probes have other answers than on the stable release, run after run: ${changed.map(({ probe }) => probe).join(', ')}. ` +
      `${state === 'draining' ? 'Promote' : 'Resume or promote'} the rollout if that is meant, abort it if not.`;
    return { decision: 'ask', reason };
  }
  if (unsettled.length === 0) return undefined;
  return { decision: 'wait', reason: `Probes had other answers and are run again: ${unsettled.join(', ')}.` };
}

function missingOf({ candidate, baseline, thresholds: { min_samples: enough } }: Compared): string | undefined {
  if (candidate.calls < enough)
    return `The candidate had ${candidate.calls} calls of the ${enough} that a verdict needs.`;
  if (baseline === 'none') return `The stable release had fewer calls than the ${enough} that a verdict needs.`;
  return undefined;
}

/** What looks worse without being proven: nothing that the next step's callers should meet. */
function doubtOf(compared: Compared): Finding | undefined {
  const { thresholds, baseline } = compared;
  const held = {
    thresholds,
    significance: DOUBT,
    graveSignificance: DOUBT,
    sameTime: baseline === 'step',
    wanted: 'doubt',
  } as const;
  return compareOverall(compared, held)[0];
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
