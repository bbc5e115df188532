import type { Transaction } from '#libs/database';
import { CONTROLLER, endDrain, type Rollout } from '#libs/rollouts';
import type { Verdict } from '../verdict/judge.js';

/**
 * `draining` → `promoted`: the time for sessions of the old release is over, and nothing bad was seen of the new one, nor
 * anything that somebody has to decide.
 */
export async function drain(tx: Transaction, rollout: Rollout, verdict: Verdict): Promise<boolean> {
  if (verdict.decision === 'ask' || rollout.stepSeconds < rollout.drainSeconds) return false;
  const reason = `Sessions of the old release had ${rollout.drainSeconds} s to end.`;
  await endDrain(tx, rollout, { actor: CONTROLLER, reason, verdict });
  return true;
}
