import { setTimeout as pause } from 'node:timers/promises';
import type { Allowance, AttemptCounter } from './attempt-counter.js';

/** How long a guess waits for its turn, and how often it asks. */
const TURN_MS_MAX = 5_000;
const TURN_MS = 25;

/**
 * Holds up guessing where whoever is right may come as often as they like: as many guesses as may fail are judged at
 * once, all others wait for their turn, so that many at the same time get no further than one after the other.
 */
export class Guesses {
  constructor(private readonly attempts: AttemptCounter) {}

  /**
   * Waits until a guess may be judged: then 0, and `end` has to be called with what came of it. Else the seconds until it
   * may be tried again, because too many have failed, or too many are being judged.
   */
  async begin(...failures: readonly Allowance[]): Promise<number> {
    const tries = triesOf(failures);
    for (const until = Date.now() + TURN_MS_MAX; ; await pause(TURN_MS + Math.random() * TURN_MS)) {
      const retryAfterSeconds = await this.attempts.wait(...failures);
      if (retryAfterSeconds > 0) return retryAfterSeconds;
      if ((await this.attempts.wait(...tries)) === 0) {
        if ((await this.attempts.take(...tries)) === 0) return 0;
        await this.attempts.giveBack(...tries);
      }
      if (Date.now() > until) return 1;
    }
  }

  /** What came of a guess: one that was wrong counts until its window is over. */
  async end(outcome: 'wrong' | 'not-wrong', ...failures: readonly Allowance[]): Promise<void> {
    if (outcome === 'wrong') await this.attempts.take(...failures);
    else await this.attempts.giveBack(...triesOf(failures));
  }
}

/** Counts those that failed and those that are being judged. */
function triesOf(failures: readonly Allowance[]): Allowance[] {
  return failures.map((allowance) => ({ ...allowance, key: `${allowance.key}|tries` }));
}
