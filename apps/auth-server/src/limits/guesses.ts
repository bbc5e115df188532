import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { windowLeftSeconds, type Allowance, type AttemptCounter } from './attempt-counter.js';

/** How long a guess waits for its turn, and how often it asks. */
const TURN_MS_MAX = 5_000;
const TURN_MS = 25;
/** How long a guess is judged at most; the turn of one whose process ended meanwhile is another's after that. */
const JUDGED_MS_MAX = 30_000;

/** A guess that may be judged, or the seconds until it may be tried again. */
export type Turn =
  | { readonly retryAfterSeconds: 0; end(outcome: 'wrong' | 'not-wrong'): Promise<void> }
  | { readonly retryAfterSeconds: number; readonly end?: undefined };

/**
 * Holds up guessing where whoever is right may come as often as they like: as many guesses as may fail are judged at
 * once, all others wait for their turn, so that many at the same time get no further than one after the other.
 */
export class Guesses {
  constructor(
    private readonly attempts: AttemptCounter,
    private readonly judgedMsMax = JUDGED_MS_MAX,
  ) {}

  /**
   * Waits until a guess may be judged: then `end` has to be called with what came of it. Else it says when to try again,
   * because too many have failed, or too many are being judged.
   */
  async begin(...failures: readonly Allowance[]): Promise<Turn> {
    const { claims } = this.attempts;
    const id = randomUUID();
    for (const until = Date.now() + TURN_MS_MAX; ; await pause(TURN_MS + Math.random() * TURN_MS)) {
      const retryAfterSeconds = await this.attempts.wait(...failures);
      if (retryAfterSeconds > 0) return { retryAfterSeconds };
      if (await claims.claim(id, this.judgedMsMax, ...failures))
        return { retryAfterSeconds: 0, end: (outcome) => this.#end(id, outcome, failures) };
      if (Date.now() > until) return { retryAfterSeconds: 1 };
    }
  }

  /** One that was wrong counts until its window is over, and keeps its place among those that are judged for as long. */
  async #end(id: string, outcome: 'wrong' | 'not-wrong', failures: readonly Allowance[]): Promise<void> {
    const { claims } = this.attempts;
    if (outcome === 'not-wrong') return claims.release(id, ...failures);
    const keep = (failure: Allowance): Promise<void> => claims.keep(id, windowLeftSeconds(failure) * 1_000, failure);
    await Promise.all([this.attempts.take(...failures), ...failures.map(keep)]);
  }
}
