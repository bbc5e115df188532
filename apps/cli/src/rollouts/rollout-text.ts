import type { ListedRelease } from '../commands/releases.js';
import type { SeenRollout } from './rollouts-api.js';

type Verdict = NonNullable<SeenRollout['verdict']>;

const ENDS: Readonly<Record<string, string>> = { rolled_back: 'rolled back' };

/** Where a rollout stands, in one line. */
export function placeText({ state, step, steps, percent, strategy }: SeenRollout): string {
  const named = ENDS[state] ?? state;
  if (state !== 'running' && state !== 'paused') return named;
  const part = strategy === 'shadow' ? 'nobody hears the candidate' : `${percent} % of the callers`;
  return `${named}, step ${step + 1} of ${steps.length}, ${part}`;
}

/** What the latest verdict says, and what it rests on. */
export function verdictText(verdict: Verdict): string[] {
  const { decision, reason, findings, candidate, stable, hold } = verdict;
  return [
    `${decision}: ${reason}`,
    ...(hold === undefined ? [] : [`The next step waits. ${hold}`]),
    `candidate ${tallyText(candidate)}; stable ${tallyText(stable)}`,
    // The reason has the first few of them.
    ...findings.map(({ sentence }) => sentence).filter((sentence) => !reason.includes(sentence)),
  ];
}

/** Everything about a rollout that a person asks for. */
export function rolloutText(rollout: SeenRollout, releases: readonly ListedRelease[]): string[] {
  const { id, strategy, release, stable_release: stable, steps, reason, verdict } = rollout;
  return [
    `${strategy} of ${nameOf(release, releases)} beside ${nameOf(stable, releases)}  (${id})`,
    `state    ${placeText(rollout)}`,
    ...(steps.length === 0
      ? []
      : [`steps    ${steps.map((step) => `${step.percent} % for ${step.seconds} s`).join(', ')}`]),
    ...(reason === null ? [] : [`reason   ${reason}`]),
    ...(verdict === null
      ? []
      : verdictText(verdict).map((line, at) => `${at === 0 ? 'verdict ' : '        '} ${line}`)),
  ];
}

function nameOf(id: string, releases: readonly ListedRelease[]): string {
  const release = releases.find((one) => one.id === id);
  if (release === undefined) return id;
  return `#${release.number}${release.version === null ? '' : ` (${release.version})`}`;
}

function tallyText({ calls, errors, p95_ms: p95 }: Verdict['candidate']): string {
  return `${calls} calls, ${errors} errors${p95 === null ? '' : `, p95 ${p95} ms`}`;
}
