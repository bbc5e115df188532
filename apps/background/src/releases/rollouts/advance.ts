import type { Transaction } from '#libs/database';
import { beginStep, CONTROLLER, pauseRollout, switchRollout, type Rollout } from '#libs/rollouts';
import type { Verdict } from '../verdict/judge.js';

/**
 * `running` → its next step, or `draining` after the last, or `paused` where a shadow is over: a step whose time has passed
 * with a good verdict. Without enough evidence it goes on.
 */
export async function advance(tx: Transaction, rollout: Rollout, verdict: Verdict): Promise<boolean> {
  const step = rollout.steps[rollout.step];
  if (verdict.decision !== 'good' || (step !== undefined && rollout.stepSeconds < step.seconds)) return false;
  const cause = { actor: CONTROLLER, reason: verdict.reason, verdict };
  if (rollout.steps[rollout.step + 1] !== undefined) await beginStep(tx, rollout, rollout.step + 1, cause);
  else if (rollout.strategy === 'shadow') await pauseRollout(tx, rollout, cause);
  else await switchRollout(tx, rollout, cause);
  return true;
}
