import { thresholdsOf, type Rollout } from '#libs/rollouts';
import type { RolloutAnswer } from './rollouts.schema.js';

/** A rollout as the API shows it. */
export function rolloutView(rollout: Rollout): RolloutAnswer {
  return {
    id: rollout.id,
    release: rollout.candidateReleaseId,
    stable_release: rollout.stableReleaseId,
    strategy: rollout.strategy,
    steps: rollout.steps.map(({ percent, seconds }) => ({ percent, seconds })),
    drain_seconds: rollout.drainSeconds,
    thresholds: thresholdsOf(rollout),
    state: rollout.state,
    step: rollout.step,
    percent: rollout.percent,
    step_started_at: rollout.stepStartedAt.toISOString(),
    reason: rollout.reason,
    verdict: rollout.verdict ?? null,
    verdicts: [...rollout.verdicts],
    created_at: rollout.createdAt.toISOString(),
    ended_at: rollout.endedAt?.toISOString() ?? null,
  };
}
