import { z } from 'zod';
import type { Transaction } from '#libs/database';
import { CONTROLLER, endDrain, holdRollout, type Rollout } from '#libs/rollouts';
import type { Verdict } from '../verdict/judge.js';

/** What a look at a drain came to: it is over, waits for somebody who was told just now, or goes on with a verdict. */
export type Drained = 'ended' | 'held' | Verdict;

const heldSchema = z.object({ step: z.int(), held: z.literal(true) });

/**
 * `draining` → `promoted`: the time for sessions of the old release is over, and nothing bad was seen of the new one, nor
 * anything that somebody has to decide, which is told once.
 */
export async function drain(tx: Transaction, rollout: Rollout, verdict: Verdict): Promise<Drained> {
  const before = heldSchema.safeParse(rollout.verdict);
  const isHeld = before.success && before.data.step === rollout.step;
  if (verdict.decision === 'ask' && !isHeld) {
    await holdRollout(tx, rollout, { actor: CONTROLLER, reason: verdict.reason, verdict: { ...verdict, held: true } });
    return 'held';
  }
  if (!mayEnd(verdict) || rollout.stepSeconds < rollout.drainSeconds)
    return isHeld ? { ...verdict, held: true } : verdict;
  const reason = `Sessions of the old release had ${rollout.drainSeconds} s to end.`;
  await endDrain(tx, rollout, { actor: CONTROLLER, reason, verdict });
  return 'ended';
}

/** Where nobody called, there is nothing to wait for: the candidate has been live all the while. */
function mayEnd({ decision, awaits }: Verdict): boolean {
  return decision === 'good' || (decision === 'wait' && awaits === 'calls');
}
