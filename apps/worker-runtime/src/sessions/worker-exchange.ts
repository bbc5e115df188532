import { CallDeadline, type FrameFailure, type OutcomeClass, type ToolFault } from '#libs/protocol';
import type { WorkerCall } from './worker-call.js';

const PART_BYTES_MAX = 64 * 1024 * 1024;
/** How long a runner may take to answer a cancel: longer means that its process is stuck. */
const CANCEL_ANSWER_MS = 3_000;
const OVERDUE_MS = 2_000;
const EMPTY = Buffer.alloc(0);

/**
 * One exchange with a bound worker.
 *
 *     open ──done, fail──────────────► closed
 *     open ──cancel──► leaving ──done, fail──► closed      leaving too long: the worker is stuck and is killed
 *     open ──deadline──► answered, leaving ──done, fail──► closed
 */
export class WorkerExchange {
  readonly #deadline: CallDeadline;
  #answered = false;
  #leavingSinceMs: number | undefined;
  #partBytes = 0;
  #upstreamMs: number | undefined;
  #fault: ToolFault = 'not_sent';
  #fetched = 0;

  constructor(
    /** Its number in the worker. */
    readonly s: number,
    readonly call: WorkerCall,
  ) {
    this.#deadline = new CallDeadline(call.envelope);
  }

  get deadlineMs(): number {
    return this.#deadline.atMs;
  }

  /** Forwards a message before the last; false when there have been too many bytes of them. */
  part(message: Buffer): boolean {
    this.#deadline.extend(Date.now());
    this.#partBytes += message.length;
    if (!this.#answered) this.call.reply.onPart(message);
    return this.#partBytes <= PART_BYTES_MAX;
  }

  done(message: Buffer, outcome: OutcomeClass): void {
    if (this.#answered) return;
    this.#answered = true;
    const blamed = outcome === 'tool_error' && (this.#fetched === 0 || this.#fault === 'breaker_open');
    this.call.reply.onDone(message, outcome, this.#upstreamMs, blamed ? this.#fault : undefined);
  }

  fail(failure: FrameFailure, outcome: OutcomeClass, started: boolean): void {
    if (this.#answered) return;
    this.#answered = true;
    this.call.reply.onFail(failure, outcome, started);
  }

  /** Adds time that an upstream took, or what was refused in its stead. */
  addUpstream(ms: number, how: 'asked' | 'breaker_open'): void {
    this.#fetched += 1;
    if (how === 'breaker_open') this.#fault = how;
    this.#upstreamMs = (this.#upstreamMs ?? 0) + ms;
  }

  /** Notes that the runner was asked to stop it; false when it was before. */
  leave(nowMs: number): boolean {
    if (this.#leavingSinceMs !== undefined) return false;
    this.#leavingSinceMs = nowMs;
    return true;
  }

  /** Answers a caller whose deadline has passed; an ended listening is no failure. */
  expire(): void {
    if (this.call.envelope.operation === 'listen') this.done(EMPTY, 'ok');
    else this.fail({ code: 'deadline_exceeded' }, 'deadline', true);
  }

  /** Whether the runner has had its time to stop and has not. */
  isStuck(nowMs: number): boolean {
    if (this.#leavingSinceMs === undefined) return false;
    return nowMs > Math.min(this.deadlineMs, this.#leavingSinceMs + CANCEL_ANSWER_MS) + OVERDUE_MS;
  }
}
