/** A busy worker that has said nothing for so long is asked whether it still turns. */
const QUIET_MS = 1_000;
/** And is given up when it has not answered in so long: its one thread is caught, for example in a regular expression. */
const ANSWER_MS = 5_000;

/** What to do about a worker now. */
export type Verdict = 'leave' | 'ask' | 'give-up';

/** Tells a worker whose thread is caught from one that waits: `quiet` → asked → heard again, or given up. */
export class Liveness {
  #heardMs = Date.now();
  #askedMs: number | undefined;

  /** Anything came from the worker. */
  heard(nowMs: number): void {
    this.#heardMs = nowMs;
    this.#askedMs = undefined;
  }

  /** Judges a worker that has something to do. */
  judge(nowMs: number): Verdict {
    if (this.#askedMs !== undefined) return nowMs - this.#askedMs > ANSWER_MS ? 'give-up' : 'leave';
    if (nowMs - this.#heardMs < QUIET_MS) return 'leave';
    this.#askedMs = nowMs;
    return 'ask';
  }
}
