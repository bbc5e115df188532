import { thresholdsOf, type Rollout, type Sample, type Thresholds } from '#libs/rollouts';
import { compareSteps, doubtsAtTools, doubtsOverall, type Compared } from './compare-steps.js';
import type { Finding } from './compare.js';
import { LATE_SECONDS } from './criteria.js';
import { evidenceFor, type Evidence } from './evidence.js';
import { lookDue, looksOf, secondsOf, type Look, type Looks } from './looks.js';
import type { ProbeFindings } from './probes.js';
import { tallyOf, viewOf, type TallyView } from './tally.js';

/** A server may have thousands of tools, and what is kept goes into the audit log and to webhooks. */
const FINDINGS_MAX = 50;
const SENTENCES_MAX = 5;

/**
 * A judgement: `good` and `bad` rest on enough calls (or probes), `wait` says what is missing, and `ask` what somebody has
 * to decide.
 */
export interface Verdict {
  readonly decision: 'good' | 'bad' | 'wait' | 'ask';
  readonly step: number;
  readonly findings: readonly Finding[];
  readonly reason: string;
  readonly candidate: TallyView;
  readonly stable: TallyView;
  /** Where the stable release had too few calls during the step, those of the whole rollout are compared. */
  readonly baseline: Compared['baseline'];
  /** The looks that the step has had at its numbers. */
  readonly looks: Looks;
  /** What `wait` waits for. */
  readonly awaits?: Evidence['awaits'];
  /** Whether the drain was told to wait for somebody. */
  readonly held?: true;
  /** Where the server has probes: how many passed on the candidate, which are answered differently, ids of the changed ones. */
  readonly probes?: {
    readonly passed: number;
    readonly of: number;
    readonly different: readonly string[];
    readonly changed: readonly string[];
  };
}

/** Judges the candidate's calls of the present step against the stable release's. */
export function judge(rollout: Rollout, samples: readonly Sample[], probes: ProbeFindings | undefined): Verdict {
  const thresholds = thresholdsOf(rollout);
  const compared = comparedOf(rollout, samples, thresholds);
  const { candidate, stable, baseline } = compared;
  const look = lookDue(rollout, candidate.calls, thresholds);
  const doubt = doubtOf(rollout, compared, look);
  const findings = [
    ...(look === undefined ? [] : compareSteps(compared, look)),
    ...(probes?.failed ?? []).map(failedProbe),
    ...changedProbes(thresholds, probes),
  ];
  const numbers = {
    step: rollout.step,
    findings: findings.slice(0, FINDINGS_MAX),
    candidate: viewOf(candidate),
    stable: viewOf(stable),
    baseline,
    looks: look === undefined ? looksOf(rollout) : { ...look.looks, doubt },
    ...(probes === undefined ? {} : { probes: probeView(probes) }),
  };
  if (findings.length > 0) return { decision: 'bad', reason: reasonOf(findings), ...numbers };
  const isLate = rollout.stepSeconds >= secondsOf(rollout) + LATE_SECONDS;
  return { ...evidenceFor({ state: rollout.state, isLate, compared, doubt, probes }), ...numbers };
}

/** Tools are asked about at looks only; what was doubtful at the last one is so until the next. */
function doubtOf(rollout: Rollout, compared: Compared, look: Look | undefined): string | null {
  const overall = (): Finding[] => doubtsOverall(compared);
  if (look === undefined) return looksOf(rollout).doubt ?? overall()[0]?.sentence ?? null;
  return [...overall(), ...doubtsAtTools(compared)][0]?.sentence ?? null;
}

function comparedOf(rollout: Rollout, samples: readonly Sample[], thresholds: Thresholds): Compared {
  const mine = samples.filter(
    ({ releaseId, step }) => releaseId === rollout.candidateReleaseId && step === rollout.step,
  );
  const all = samples.filter(({ releaseId }) => releaseId === rollout.stableReleaseId);
  const ofStep = all.filter(({ step }) => step === rollout.step);
  const enough = (some: readonly Sample[]): boolean => tallyOf(some).calls >= thresholds.min_samples;
  const baseline = enough(ofStep) ? 'step' : enough(all) ? 'rollout' : 'none';
  const theirs = baseline === 'step' ? ofStep : all;
  const isShadow = rollout.strategy === 'shadow';
  return { mine, theirs, candidate: tallyOf(mine), stable: tallyOf(theirs), baseline, thresholds, isShadow };
}

function probeView({ passed, enabled, different, changed }: ProbeFindings): NonNullable<Verdict['probes']> {
  return { passed, of: enabled, different, changed: changed.map(({ id }) => id) };
}

function reasonOf(findings: readonly Finding[]): string {
  const rest = findings.length > SENTENCES_MAX ? [`And ${findings.length - SENTENCES_MAX} more findings.`] : [];
  return [...findings.slice(0, SENTENCES_MAX).map(({ sentence }) => sentence), ...rest].join(' ');
}

function failedProbe({ probe, reason }: ProbeFindings['failed'][number]): Finding {
  const sentence = `Probe ${probe} passes on the stable release and fails on the candidate: ${reason}.`;
  return { criterion: 'probes', candidate: 1, stable: 0, sentence };
}

/** Probes of tools that only read, whose answers a release may be told not to change. */
function changedProbes({ changed_answers: policy }: Thresholds, probes: ProbeFindings | undefined): Finding[] {
  if (policy !== 'roll_back' || probes === undefined) return [];
  return probes.changed
    .filter(({ readsOnly }) => readsOnly)
    .map(({ probe }) => {
      const sentence = `Probe ${probe} has another answer than on the stable release, run after run.`;
      return { criterion: 'probes', candidate: 1, stable: 0, sentence };
    });
}
