import { ROOT_CONTEXT, SpanStatusCode, trace, TraceFlags, type Attributes, type SpanKind } from '@opentelemetry/api';
import { exportsSpans, tracer } from './telemetry.js';

/** Where a span hangs, and what it says from the beginning. Attributes name things and never hold what callers sent. */
export interface WorkSpanStart {
  readonly room: string;
  readonly name: string;
  readonly kind: SpanKind;
  /** W3C `traceparent` of what it is part of. */
  readonly parent: string | undefined;
  /** Whether the parent is a span of this process. */
  readonly within?: 'this process';
  /** A W3C `traceparent` it has to do with and is not part of. */
  readonly link?: string;
  /** From `performance.now()`; now where it is left out. */
  readonly startedMs?: number;
  readonly attributes: Attributes;
}

/** A span that runs. */
export interface WorkSpan {
  /** W3C `traceparent` for what is done as part of it. */
  readonly traceparent: string;
  /** Ends it; `errorType` where it failed, a class of few values. */
  end(errorType: string | undefined, attributes?: Attributes): void;
}

/**
 * Starts a span where spans are exported. Where they are not, it is undefined and costs one comparison; `describe` is
 * not even asked.
 */
export function startWorkSpan(describe: () => WorkSpanStart): WorkSpan | undefined {
  if (!exportsSpans()) return undefined;
  const { room, name, kind, parent, within, link, startedMs, attributes } = describe();
  const above = contextOf(parent, within === undefined);
  const linked = contextOf(link, true);
  const span = tracer(room).startSpan(
    name,
    {
      kind,
      attributes,
      ...(startedMs === undefined ? {} : { startTime: startedMs }),
      ...(linked === undefined ? {} : { links: [{ context: linked }] }),
    },
    above === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, above),
  );
  const { traceId, spanId } = span.spanContext();
  return {
    traceparent: `00-${traceId}-${spanId}-01`,
    end(errorType, more) {
      if (more !== undefined) span.setAttributes(more);
      if (errorType !== undefined) {
        span.setAttribute('error.type', errorType);
        span.setStatus({ code: SpanStatusCode.ERROR });
      }
      span.end();
    },
  };
}

function contextOf(traceparent: string | undefined, isRemote: boolean) {
  if (traceparent === undefined) return undefined;
  const [, traceId = '', spanId = ''] = traceparent.split('-');
  return { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote };
}
