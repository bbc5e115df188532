import { z } from 'zod';
import type { Rollout } from '#libs/rollouts';
import { GRAVE_SAMPLES_MIN, LOOKS } from './criteria.js';

const looksSchema = z.object({
  /** How many were taken in the step, and how many of them before the candidate had enough calls for its rates. */
  taken: z.int(),
  early: z.int(),
  /** The candidate's calls at the last one, and when it was by the database's clock, in epoch milliseconds. */
  calls: z.int(),
  at_ms: z.number(),
  /** What looked worse at the last one without being proven. */
  doubt: z.string().nullable().default(null),
});

/** The looks that a step has had at its numbers. */
export type Looks = z.infer<typeof looksSchema>;

const verdictSchema = z.object({ step: z.int(), looks: looksSchema });

/** What the numbers are held against at one look. */
export interface Look {
  readonly looks: Looks;
  /** This look's part of the step's alpha, for rates and latencies, and for what is grave. */
  readonly alpha: number;
  readonly graveAlpha: number;
}

/** The looks of the rollout's step so far. */
export function looksOf({ step, verdict }: Rollout): Looks {
  const before = verdictSchema.safeParse(verdict);
  if (before.success && before.data.step === step) return before.data.looks;
  return { taken: 0, early: 0, calls: 0, at_ms: 0, doubt: null };
}

/**
 * The look that is due, undefined where none is. Who tests after every call finds something in the end, by chance: so looks
 * are few, when they come depends on how many calls there were and never on how those went, and the k-th may spend
 * alpha / (k (k + 1)), which over all looks is alpha (J. O. O'Brien's and P. Armitage's problem; the bound is Boole's).
 */
export function lookDue(rollout: Rollout, calls: number, { alpha, min_samples: enough }: Budget): Look | undefined {
  const before = looksOf(rollout);
  const nowMs = rollout.stepStartedAt.getTime() + rollout.stepSeconds * 1_000;
  if (calls < Math.min(GRAVE_SAMPLES_MIN, enough) || calls <= before.calls) return undefined;
  const grown = calls >= before.calls * LOOKS.growth;
  const reachesEnough = before.calls < enough && calls >= enough;
  const long = nowMs - before.at_ms >= LOOKS.everyMs;
  if (!grown && !reachesEnough && !long && !isLast(rollout, before.at_ms)) return undefined;
  const early = before.early + (calls < enough ? 1 : 0);
  const looks = { taken: before.taken + 1, early, calls, at_ms: nowMs, doubt: before.doubt };
  return { looks, alpha: spent(alpha, looks.taken - early), graveAlpha: spent(alpha, looks.taken) };
}

interface Budget {
  readonly alpha: number;
  readonly min_samples: number;
}

function spent(alpha: number, look: number): number {
  return look < 1 ? 0 : alpha / (look * (look + 1));
}

/** Whether the step's time is over and nobody has looked since. */
function isLast({ steps, step, stepStartedAt, stepSeconds, drainSeconds }: Rollout, lastMs: number): boolean {
  const seconds = secondsOf({ steps, step, drainSeconds });
  return stepSeconds >= seconds && lastMs < stepStartedAt.getTime() + seconds * 1_000;
}

/** How long the rollout's step lasts at least, or its drain. */
export function secondsOf({ steps, step, drainSeconds }: Pick<Rollout, 'steps' | 'step' | 'drainSeconds'>): number {
  return steps[step]?.seconds ?? drainSeconds;
}
