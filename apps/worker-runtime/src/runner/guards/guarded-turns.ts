import type { OutcomeClass } from '#libs/protocol';
import type { AnswerGuard, Guarded } from './answer-guard.js';

/** Parts that may wait to be looked at; notifications beyond are dropped, since who sends them does not wait. */
const WAITING_MAX = 256;
const WAITING_BYTES_MAX = 16 * 1024 * 1024;

/** What leaves of one call, in the order in which it was said, each after it was looked at. */
export class GuardedTurns {
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;
  #waitingBytes = 0;

  constructor(
    readonly guard: AnswerGuard,
    /** Hears of what cannot be looked at, for a reason that is ours. */
    private readonly onFailed: (error: unknown) => void,
  ) {}

  /** Sends a message before the final one as it may leave. */
  part(message: object, send: (shown: object) => void): void {
    const bytes = Buffer.byteLength(JSON.stringify(message));
    const isFull = this.#waiting >= WAITING_MAX || this.#waitingBytes + bytes > WAITING_BYTES_MAX;
    if (isFull && !('id' in message)) return;
    this.#waiting += 1;
    this.#waitingBytes += bytes;
    this.#next(async () => {
      const shown = await this.guard.part(message);
      this.#waiting -= 1;
      this.#waitingBytes -= bytes;
      if (shown !== undefined) send(shown);
    });
  }

  /** Ends with the final message as it may leave. */
  final(message: object, outcome: OutcomeClass, end: (guarded: Guarded) => void): void {
    this.#next(async () => end(await this.guard.final(message, outcome)));
  }

  /** Does what comes after all that was said before. */
  after(work: () => void): void {
    this.#next(async () => work());
  }

  #next(work: () => Promise<void>): void {
    this.#last = this.#last.then(work).catch(this.onFailed);
  }
}
