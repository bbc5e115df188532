import type { Context } from '@opentelemetry/api';
import { SpanStatusCode, trace } from '@opentelemetry/api';
import type { ReadableSpan, Span, SpanProcessor } from '@opentelemetry/sdk-trace';

/** The spans of one piece of work in this process: its root, and what was done for it. */
interface Work {
  readonly rootId: string;
  readonly beganMs: number;
  /** Ids of spans that have not ended. */
  readonly open: Set<string>;
  /** Spans that have. */
  readonly ended: ReadableSpan[];
  failed: boolean;
}

/** What may be held, and for how long a piece of work is waited for. */
export interface TailLimits {
  readonly works: number;
  readonly spansOfWork: number;
  /** Ended spans of all work together. */
  readonly spans: number;
  readonly waitMs: number;
}

/** Ended spans take some 2 kB each. */
const LIMITS: TailLimits = { works: 5_000, spansOfWork: 256, spans: 20_000, waitMs: 600_000 };

/**
 * Keeps the spans of a piece of work until its last one has ended, and passes them on when its root failed or its trace
 * is one of the sampled. Both are read from what every process of a call knows, the trace id and the outcome, so that
 * all of them keep the same calls (docs/decisions/tail-sampling.md).
 *
 *     held ──last span ends──► decided
 *     held ──too many are, or for too long──► given up: decided by what has ended; what ends later is decided alone
 */
export class TailSampling implements SpanProcessor {
  readonly #ofOpen = new Map<string, Work>();
  /** Oldest first. */
  readonly #works = new Set<Work>();
  #ended = 0;

  constructor(
    private readonly next: SpanProcessor,
    private readonly ratio: number,
    private readonly limits: TailLimits = LIMITS,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  /** What is held now: pieces of work, and spans of them that have ended and that have not. */
  get held(): { readonly works: number; readonly ended: number; readonly open: number } {
    return { works: this.#works.size, ended: this.#ended, open: this.#ofOpen.size };
  }

  onStart(span: Span, parentContext: Context): void {
    this.next.onStart(span, parentContext);
    const { spanId } = span.spanContext();
    const parent = trace.getSpanContext(parentContext);
    const of = parent === undefined || parent.isRemote === true ? undefined : this.#ofOpen.get(parent.spanId);
    const work = of ?? this.#begin(spanId);
    if (work.open.size + work.ended.length >= this.limits.spansOfWork) return;
    work.open.add(spanId);
    this.#ofOpen.set(spanId, work);
  }

  onEnd(span: ReadableSpan): void {
    const { spanId } = span.spanContext();
    const work = this.#ofOpen.get(spanId);
    if (work === undefined) {
      if (this.#isSampled(span) || hasFailed(span)) this.next.onEnd(span);
      return;
    }
    this.#ofOpen.delete(spanId);
    work.open.delete(spanId);
    work.ended.push(span);
    this.#ended += 1;
    if (work.rootId === spanId) work.failed = hasFailed(span);
    if (work.open.size === 0) this.#decide(work);
    else if (this.#ended > this.limits.spans) this.#giveUpOldest();
  }

  forceFlush(): Promise<void> {
    return this.next.forceFlush();
  }

  shutdown(): Promise<void> {
    this.#ofOpen.clear();
    this.#works.clear();
    this.#ended = 0;
    return this.next.shutdown();
  }

  #begin(rootId: string): Work {
    const nowMs = this.nowMs();
    if (this.#works.size >= this.limits.works) this.#giveUpOldest();
    for (const { beganMs } of this.#works) {
      if (nowMs - beganMs < this.limits.waitMs) break;
      this.#giveUpOldest();
    }
    const work = { rootId, beganMs: nowMs, open: new Set<string>(), ended: [], failed: false };
    this.#works.add(work);
    return work;
  }

  #giveUpOldest(): void {
    const [oldest] = this.#works;
    if (oldest === undefined) return;
    for (const spanId of oldest.open) this.#ofOpen.delete(spanId);
    this.#decide(oldest);
  }

  #decide(work: Work): void {
    this.#works.delete(work);
    this.#ended -= work.ended.length;
    for (const span of work.ended) if (work.failed || this.#isSampled(span)) this.next.onEnd(span);
  }

  #isSampled(span: ReadableSpan): boolean {
    return isSampled(span.spanContext().traceId, this.ratio);
  }
}

function hasFailed({ status }: ReadableSpan): boolean {
  return status.code === SpanStatusCode.ERROR;
}

/** Whether a trace is among the sampled share: the same answer in every process. */
export function isSampled(traceId: string, ratio: number): boolean {
  return Number.parseInt(traceId.slice(-8), 16) < ratio * 0x1_0000_0000;
}
