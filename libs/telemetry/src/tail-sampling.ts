import type { Context } from '@opentelemetry/api';
import { SpanStatusCode, trace } from '@opentelemetry/api';
import type { ReadableSpan, Span, SpanProcessor } from '@opentelemetry/sdk-trace';

/** The spans of one piece of work in this process: its root, and what was done for it. */
interface Work {
  readonly rootId: string;
  readonly spans: ReadableSpan[];
  open: number;
  failed: boolean;
}

/** Pieces of work held at once; what is begun beyond that is exported by ratio alone. */
const WORKS_MAX = 5_000;
const SPANS_OF_WORK_MAX = 256;

/**
 * Keeps the spans of a piece of work until its last one has ended, and passes them on when its root failed or its trace
 * is one of the sampled. Both are read from what every process of a call knows, the trace id and the outcome, so that
 * all of them keep the same calls (docs/decisions/tail-sampling.md).
 */
export class TailSampling implements SpanProcessor {
  readonly #works = new Map<string, Work>();
  #held = 0;

  constructor(
    private readonly next: SpanProcessor,
    private readonly ratio: number,
  ) {}

  onStart(span: Span, parentContext: Context): void {
    this.next.onStart(span, parentContext);
    const { spanId } = span.spanContext();
    const parent = trace.getSpanContext(parentContext);
    const of = parent === undefined || parent.isRemote === true ? undefined : this.#works.get(parent.spanId);
    if (of !== undefined) {
      of.open += 1;
      this.#works.set(spanId, of);
      return;
    }
    if (this.#held >= WORKS_MAX) return;
    this.#held += 1;
    this.#works.set(spanId, { rootId: spanId, spans: [], open: 1, failed: false });
  }

  onEnd(span: ReadableSpan): void {
    const { spanId, traceId } = span.spanContext();
    const work = this.#works.get(spanId);
    if (work === undefined) {
      if (isSampled(traceId, this.ratio)) this.next.onEnd(span);
      return;
    }
    this.#works.delete(spanId);
    if (work.spans.length < SPANS_OF_WORK_MAX || work.rootId === spanId) work.spans.push(span);
    if (work.rootId === spanId) work.failed = span.status.code === SpanStatusCode.ERROR;
    work.open -= 1;
    if (work.open > 0) return;
    this.#held -= 1;
    if (work.failed || isSampled(traceId, this.ratio)) for (const ended of work.spans) this.next.onEnd(ended);
  }

  forceFlush(): Promise<void> {
    return this.next.forceFlush();
  }

  shutdown(): Promise<void> {
    this.#works.clear();
    return this.next.shutdown();
  }
}

/** Whether a trace is among the sampled share: the same answer in every process. */
export function isSampled(traceId: string, ratio: number): boolean {
  return Number.parseInt(traceId.slice(-8), 16) < ratio * 0x1_0000_0000;
}
