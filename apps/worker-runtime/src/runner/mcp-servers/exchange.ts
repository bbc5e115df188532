import type { ErrorCode } from '#libs/errors';
import type { CallContent, CallFault, Envelope, FrameFailure, OutcomeClass } from '#libs/protocol';
import type { AnswerGuard } from '../guards/answer-guard.js';
import { GuardedTurns } from '../guards/guarded-turns.js';
import type { RunnerPipe } from '../pipe.js';

/** One exchange with a caller: parts, then exactly one end; what comes after the end is dropped. */
export class Exchange {
  readonly #pipe: RunnerPipe;
  readonly #onEnd: () => void;
  #ended = false;
  #content: CallContent | undefined;
  #fault: CallFault | undefined;
  #serverEnded = false;
  #own = false;
  /** Takes what its tool was asked and answered, to be told with the end; undefined where that is not recorded. */
  note: ((content: CallContent) => void) | undefined;
  /** W3C `traceparent` of what is done for it. */
  traceparent: string | undefined;
  /** How many bytes of an answer a result shows, where what is larger can be kept. */
  inlineBytes: number | undefined;
  #turns: GuardedTurns | undefined;
  /** Whether its end is said, and is still looked at. */
  #ending = false;

  constructor(
    pipe: RunnerPipe,
    /** Its number in this worker. */
    readonly s: number,
    /** Epoch milliseconds after which nobody waits any more. */
    readonly deadlineMs: number,
    onEnd: () => void,
    /** How progress moves the deadline. */
    readonly progress?: Envelope['progress'],
  ) {
    this.#pipe = pipe;
    this.#onEnd = onEnd;
  }

  /** Whether it has ended. */
  get ended(): boolean {
    return this.#ended || this.#ending;
  }

  /** What may leave of its answer; undefined where that is all of it. */
  get guard(): AnswerGuard | undefined {
    return this.#turns?.guard;
  }

  /** Has all that is said from now on looked at before it leaves. */
  guardWith(guard: AnswerGuard): void {
    this.#turns = new GuardedTurns(guard, () => this.#failNow('internal', undefined, 'worker_failed'));
  }

  /** Has its end tell what its tool was asked and answered. */
  recordContent(): void {
    this.note = (content) => {
      this.#content = content;
    };
  }

  /** Notes what the agent did wrong, to be told with the end. */
  noteFault(fault: CallFault): void {
    this.#fault = fault;
  }

  /** Notes that the third-party server that was to answer had ended, to be told with the end. */
  noteServerEnded(): void {
    this.#serverEnded = true;
  }

  /** Notes that its answer is its caller's own, to be told with the end. */
  noteOwn(): void {
    this.#own = true;
  }

  /** Sends a message before the final one. */
  part(message: object): void {
    if (this.ended) return;
    if (this.#turns === undefined) this.#sendPart(message);
    else this.#turns.part(message, (shown) => this.#sendPart(shown));
  }

  /** Ends the exchange with its final message, or with none. */
  done(message: object | undefined, outcome: OutcomeClass): void {
    // Who leaves waits for nothing that is still looked at.
    if (this.#turns === undefined || outcome === 'cancelled')
      return this.doneText(message === undefined ? undefined : JSON.stringify(message), outcome);
    if (this.ended) return;
    this.#ending = true;
    if (message === undefined) this.#turns.after(() => this.doneText(undefined, outcome));
    else this.#turns.final(message, outcome, (left) => this.doneText(JSON.stringify(left.message), left.outcome));
  }

  /** As `done`, with a message that is JSON already. */
  doneText(message: string | undefined, outcome: OutcomeClass): void {
    if (!this.#end()) return;
    const fault = this.#fault === undefined ? {} : { fault: this.#fault };
    const ended = this.#serverEnded ? { serverEnded: true as const } : {};
    const own = this.#own ? { own: true as const } : {};
    const report = this.guard?.report;
    const guard = report === undefined ? {} : { guard: report };
    const content = this.#content === undefined ? {} : { content: JSON.stringify(this.#content) };
    this.#pipe.send(
      { t: 'done', s: this.s, outcome, ...fault, ...ended, ...own, ...guard, ...content },
      message === undefined ? undefined : Buffer.from(message),
    );
  }

  /** Ends the exchange with an error of the catalogue. */
  fail(code: ErrorCode, message?: string, outcome: OutcomeClass = 'protocol_error'): void {
    if (this.ended) return;
    if (this.#turns === undefined) return this.#failNow(code, message, outcome);
    this.#ending = true;
    this.#turns.after(() => this.#failNow(code, message, outcome));
  }

  #sendPart(message: object): void {
    if (!this.#ended) this.#pipe.send({ t: 'part', s: this.s }, Buffer.from(JSON.stringify(message)));
  }

  #failNow(code: ErrorCode, message: string | undefined, outcome: OutcomeClass): void {
    if (!this.#end()) return;
    const shown = message === undefined ? undefined : (this.guard?.text(message) ?? message);
    const failure: FrameFailure = shown === undefined ? { code } : { code, message: shown };
    this.#pipe.send({ t: 'fail', s: this.s, failure, outcome });
  }

  #end(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#onEnd();
    return true;
  }
}
