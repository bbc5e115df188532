type Meta = Readonly<Record<string, unknown>>;

/** Where a request belongs, as `_meta` tells a server (W3C Trace Context and Baggage; MCP 2026-07-28, SEP-414). */
export interface Trace {
  readonly traceparent: string;
  readonly tracestate?: string;
  readonly baggage?: string;
}

/** W3C Trace Context, 3.3.1.5: at least so much of it is passed on; W3C Baggage, 3.3.2: so much in all. */
const TRACESTATE_CHARACTERS_MAX = 512;
const BAGGAGE_CHARACTERS_MAX = 8_192;
const PRINTABLE = /^[\t\x20-\x7E]+$/;
const TRACE_ID = { from: 3, to: 35 } as const;

/** The trace of a request to a server: ours, and what the caller's `_meta` says beside it; a state is of its own trace alone. */
export function traceOf(traceparent: string | undefined, meta: Meta | undefined): { readonly trace?: Trace } {
  if (traceparent === undefined) return {};
  const tracestate = textIn(meta?.['tracestate'], TRACESTATE_CHARACTERS_MAX);
  const baggage = textIn(meta?.['baggage'], BAGGAGE_CHARACTERS_MAX);
  const isSame = idOf(meta?.['traceparent']) === idOf(traceparent);
  return {
    trace: {
      traceparent,
      ...(tracestate === undefined || !isSame ? {} : { tracestate }),
      ...(baggage === undefined ? {} : { baggage }),
    },
  };
}

function idOf(traceparent: unknown): string | undefined {
  return typeof traceparent === 'string' ? traceparent.slice(TRACE_ID.from, TRACE_ID.to) : undefined;
}

function textIn(value: unknown, charactersMax: number): string | undefined {
  return typeof value === 'string' && value.length <= charactersMax && PRINTABLE.test(value) ? value : undefined;
}
