import { SpanKind } from '@opentelemetry/api';
import {
  CallDeadline,
  errorTypeOf,
  type CallFacts,
  type EgressContext,
  type FrameFailure,
  type OutcomeClass,
  type PersonTokens,
  type ToRunnerFrame,
} from '#libs/protocol';
import { startWorkSpan, type WorkSpan } from '#libs/telemetry';
import { memoryOf } from '../isolation/worker-memory.js';
import type { WorkerProcess } from '../isolation/worker-driver.js';
import type { WorkerCall } from './worker-call.js';

const PART_BYTES_MAX = 64 * 1024 * 1024;
/** How long a runner may take to answer a cancel: longer means that its process is stuck. */
const CANCEL_ANSWER_MS = 3_000;
const OVERDUE_MS = 2_000;
/** What one call may ask about documents; a tool asks once or twice. */
const ASKS_MAX = 64;
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
  #asks = 0;
  #upstreamMs: number | undefined;
  #egressBytes = 0;
  /** From `performance.now()`; moves to when its worker was ready for it. */
  #startedMs = performance.now();
  #rule: string | undefined;
  /** What the worker does, told by us: it has no way to an exporter. */
  readonly #span: WorkSpan | undefined;

  constructor(
    /** Its number in the worker. */
    readonly s: number,
    readonly call: WorkerCall,
    private readonly worker: WorkerProcess,
  ) {
    this.#deadline = new CallDeadline(call.envelope);
    this.#span = startWorkSpan(() => ({
      room: 'sessions',
      name: `worker ${call.envelope.operation}`,
      kind: SpanKind.INTERNAL,
      parent: call.envelope.traceparent,
      within: 'this process',
      attributes: { 'wharf.era': call.envelope.era },
    }));
  }

  /** W3C `traceparent` of what the worker does for it. */
  get traceparent(): string | undefined {
    return this.#span?.traceparent ?? this.call.envelope.traceparent;
  }

  /** Epoch milliseconds past which no progress moves the deadline. */
  get lastMs(): number {
    return Math.max(this.deadlineMs, this.call.envelope.progress?.lastMs ?? 0);
  }

  /** What egress may do for it. */
  get context(): EgressContext {
    return this.call.context;
  }

  /** Who makes it. */
  get principal(): string {
    return this.call.envelope.principal;
  }

  /** Answers with tokens of the person who calls. */
  get tokens(): PersonTokens | undefined {
    return this.call.tokens;
  }

  /** What the runner is told of it, beside its message. */
  frame(): ToRunnerFrame {
    const {
      era,
      operation,
      sessionId,
      batched,
      principal,
      deadlineMs,
      progress,
      parameterHeaders,
      recordsContent,
      inlineBytes,
      guard,
    } = this.call.envelope;
    const { traceparent } = this;
    return {
      t: 'message',
      s: this.s,
      era,
      operation,
      principal,
      deadlineMs,
      ...(progress === undefined ? {} : { progress }),
      ...(sessionId === undefined ? {} : { sessionId }),
      ...(batched === undefined ? {} : { batched }),
      ...(parameterHeaders === undefined ? {} : { parameterHeaders }),
      ...(recordsContent === undefined ? {} : { recordsContent }),
      ...(inlineBytes === undefined ? {} : { inlineBytes }),
      ...(guard === undefined ? {} : { guard }),
      ...(traceparent === undefined ? {} : { traceparent }),
    };
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

  done(message: Buffer, outcome: OutcomeClass, told?: Omit<CallFacts, 'workerMs' | 'rule'>): void {
    if (this.#answered) return;
    this.#answered = true;
    this.#span?.end(errorTypeOf(outcome));
    this.call.reply.onDone(message, outcome, this.#upstreamMs, this.#facts(told));
  }

  fail(failure: FrameFailure, outcome: OutcomeClass, started: boolean): void {
    if (this.#answered) return;
    this.#answered = true;
    this.#span?.end(errorTypeOf(outcome));
    this.call.reply.onFail(failure, outcome, started, this.#facts());
  }

  /** Notes that its worker has only now become ready for it. */
  begin(): void {
    this.#startedMs = performance.now();
  }

  /** Counts a question about documents; false when it has asked enough. */
  countAsk(): boolean {
    this.#asks += 1;
    return this.#asks <= ASKS_MAX;
  }

  /** Notes what of ours kept it from its upstream; the first counts. */
  stoppedBy(rule: string): void {
    this.#rule ??= rule;
  }

  /** Adds time that an upstream took. */
  addUpstream(ms: number): void {
    this.#upstreamMs = (this.#upstreamMs ?? 0) + ms;
  }

  /** Adds bytes that went to an upstream or came from it. */
  addEgress(bytes: number): void {
    this.#egressBytes += bytes;
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

  #facts(told?: Omit<CallFacts, 'workerMs' | 'rule'>): CallFacts {
    const workerMs = Math.round((performance.now() - this.#startedMs) * 10) / 10;
    const workerMemoryBytes = memoryOf(this.worker);
    return {
      workerMs,
      ...(workerMemoryBytes === undefined ? {} : { workerMemoryBytes }),
      ...(this.#egressBytes === 0 ? {} : { egressBytes: this.#egressBytes }),
      ...(this.#rule === undefined ? {} : { rule: this.#rule }),
      ...told,
    };
  }

  /** Whether the runner has had its time to stop and has not. */
  isStuck(nowMs: number): boolean {
    if (this.#leavingSinceMs === undefined) return false;
    return nowMs > Math.min(this.deadlineMs, this.#leavingSinceMs + CANCEL_ANSWER_MS) + OVERDUE_MS;
  }
}
