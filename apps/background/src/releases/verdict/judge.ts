import type { Rollout, Sample } from '#libs/rollouts';
import { compare, percent, type Finding } from './compare.js';
import type { ProbeFindings } from './probes.js';
import { tallyOf, viewOf, type Tally, type TallyView } from './tally.js';
import { THRESHOLDS } from './thresholds.js';

/** A server may have thousands of tools, and what is kept goes into the audit log and to webhooks. */
const FINDINGS_MAX = 50;
const SENTENCES_MAX = 5;

/** A judgement: `good` and `bad` rest on enough calls (or probes), `wait` says what is missing. */
export interface Verdict {
  readonly decision: 'good' | 'bad' | 'wait';
  readonly step: number;
  readonly findings: readonly Finding[];
  readonly reason: string;
  readonly candidate: TallyView;
  readonly stable: TallyView;
  /** Where the stable release had too few calls during the step, those of the whole rollout are compared. */
  readonly baseline: 'step' | 'rollout' | 'none';
  /** Where the server has probes: how many passed on the candidate, and which are answered differently. */
  readonly probes?: { readonly passed: number; readonly of: number; readonly different: readonly string[] };
}

/** Judges the candidate's calls of the present step against the stable release's. */
export function judge(rollout: Rollout, samples: readonly Sample[], probes: ProbeFindings | undefined): Verdict {
  const mine = samples.filter(
    ({ releaseId, step }) => releaseId === rollout.candidateReleaseId && step === rollout.step,
  );
  const { baseline, theirs } = baselineOf(rollout, samples);
  const [candidate, stable] = [tallyOf(mine), tallyOf(theirs)];
  const findings = [
    ...comparisons(mine, theirs, baseline === 'step'),
    ...withoutBaseline(candidate, baseline),
    ...(rollout.strategy === 'shadow' ? differences(candidate) : []),
    ...(probes?.failed ?? []).map(failedProbe),
  ];
  const numbers = {
    step: rollout.step,
    findings: findings.slice(0, FINDINGS_MAX),
    candidate: viewOf(candidate),
    stable: viewOf(stable),
    baseline,
    ...(probes === undefined
      ? {}
      : { probes: { passed: probes.passed, of: probes.enabled, different: probes.different } }),
  };
  if (findings.length > 0) return { decision: 'bad', reason: reasonOf(findings), ...numbers };
  const missing = missingOf(candidate, baseline);
  if (missing === undefined) {
    const reason = `${candidate.calls} calls were as good as ${stable.calls} of the stable release.`;
    return { decision: 'good', reason, ...numbers };
  }
  // Too little traffic: probes decide where there are any.
  if (probes !== undefined && passedAll(probes) && failuresOf(candidate) <= THRESHOLDS.failuresBesideProbesMax)
    return { decision: 'good', reason: `All ${probes.passed} probes passed. ${missing}`, ...numbers };
  return { decision: 'wait', reason: missing, ...numbers };
}

function reasonOf(findings: readonly Finding[]): string {
  const rest = findings.length > SENTENCES_MAX ? [`And ${findings.length - SENTENCES_MAX} more findings.`] : [];
  return [...findings.slice(0, SENTENCES_MAX).map(({ sentence }) => sentence), ...rest].join(' ');
}

function passedAll({ passed, enabled }: ProbeFindings): boolean {
  return enabled > 0 && passed === enabled;
}

function failuresOf({ errors, argumentFailures, crashes }: Tally): number {
  return errors + argumentFailures + crashes;
}

function baselineOf(rollout: Rollout, samples: readonly Sample[]): { baseline: Verdict['baseline']; theirs: Sample[] } {
  const all = samples.filter(({ releaseId }) => releaseId === rollout.stableReleaseId);
  const ofStep = all.filter(({ step }) => step === rollout.step);
  const enough = (some: readonly Sample[]): boolean => tallyOf(some).calls >= THRESHOLDS.samplesMin;
  if (enough(ofStep)) return { baseline: 'step', theirs: ofStep };
  return { baseline: enough(all) ? 'rollout' : 'none', theirs: all };
}

/** Overall and for each tool that both releases have served; all of them share the significance. */
function comparisons(mine: readonly Sample[], theirs: readonly Sample[], sameTime: boolean): Finding[] {
  const tools = [...new Set(mine.map(({ tool }) => tool))].filter((tool) => tool !== '');
  const significance = THRESHOLDS.significance / (tools.length + 1);
  const of = (samples: readonly Sample[], tool: string): Tally => tallyOf(samples.filter((one) => one.tool === tool));
  return [
    ...compare(tallyOf(mine), tallyOf(theirs), { significance, sameTime }),
    ...tools.flatMap((tool) => compare(of(mine, tool), of(theirs, tool), { significance, sameTime, tool })),
  ];
}

function withoutBaseline(candidate: Tally, baseline: Verdict['baseline']): Finding[] {
  const share = candidate.calls === 0 ? 0 : (candidate.errors + candidate.crashes) / candidate.calls;
  if (baseline !== 'none' || candidate.calls < THRESHOLDS.samplesMin || share <= THRESHOLDS.errorRateMax) return [];
  const sentence = `${percent(share)} of calls failed; there are too few of the stable release to compare with.`;
  return [{ criterion: 'errors', candidate: share, stable: null, sentence }];
}

function differences({ calls, differences: different }: Tally): Finding[] {
  if (calls < THRESHOLDS.samplesMin || different / calls <= THRESHOLDS.differenceRateMax) return [];
  const share = different / calls;
  const sentence = `${percent(share)} of answers were not those of the stable release.`;
  return [{ criterion: 'differences', candidate: share, stable: 0, sentence }];
}

function failedProbe({ probe, reason }: ProbeFindings['failed'][number]): Finding {
  const sentence = `Probe ${probe} passes on the stable release and fails on the candidate: ${reason}.`;
  return { criterion: 'probes', candidate: 1, stable: 0, sentence };
}

function missingOf(candidate: Tally, baseline: Verdict['baseline']): string | undefined {
  if (candidate.calls < THRESHOLDS.samplesMin)
    return `The candidate had ${candidate.calls} calls of the ${THRESHOLDS.samplesMin} that a verdict needs.`;
  if (baseline === 'none')
    return `The stable release had fewer calls than the ${THRESHOLDS.samplesMin} that a verdict needs.`;
  return undefined;
}
