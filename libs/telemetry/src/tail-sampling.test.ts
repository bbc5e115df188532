import { ROOT_CONTEXT, SpanStatusCode, trace, type Context, type Span } from '@opentelemetry/api';
import { expect, test } from '@jest/globals';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { TailSampling, type TailLimits } from './tail-sampling.js';

const FLOOD = 1_200;
const LIMITS: TailLimits = { works: 100, spansOfWork: 8, spans: 300, waitMs: 1_000 };

/** Spans as a process makes them, with nothing sampled but what failed. */
function sampling(limits: TailLimits) {
  let nowMs = 0;
  const exporter = new InMemorySpanExporter();
  const tail = new TailSampling(new SimpleSpanProcessor({ exporter }), 0, limits, () => nowMs);
  const tracer = new TracerProvider({ spanProcessors: [tail] }).getTracer('test');
  const begin = (name: string, above: Context = ROOT_CONTEXT): { readonly span: Span; readonly within: Context } => {
    const span = tracer.startSpan(name, {}, above);
    return { span, within: trace.setSpan(above, span) };
  };
  const kept = (): string[] => exporter.getFinishedSpans().map(({ name }) => name);
  return { tail, begin, kept, pass: (ms: number) => (nowMs += ms) };
}

function fail(span: Span): void {
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

/** A piece of work that never ends, with something in it that did and something that did not. */
function leave({ begin }: ReturnType<typeof sampling>): void {
  const { within } = begin('unfinished');
  for (let child = 0; child < 5; child += 1) begin('part', within).span.end();
  for (let child = 0; child < 5; child += 1) begin('open', within);
}

test('a flood of work that never ends is held within bounds, and a call that fails meanwhile is kept whole', () => {
  const under = sampling(LIMITS);
  for (let unfinished = 0; unfinished < FLOOD; unfinished += 1) {
    leave(under);
    if (unfinished % 400 !== 200) continue;
    const call = under.begin('call');
    under.begin('request', call.within).span.end();
    fail(call.span);
  }
  const { works, ended, open } = under.tail.held;
  expect(works).toBeLessThanOrEqual(LIMITS.works);
  expect(ended).toBeLessThanOrEqual(LIMITS.spans);
  expect(open).toBeLessThanOrEqual(LIMITS.works * LIMITS.spansOfWork);
  expect(under.kept()).toEqual(['request', 'call', 'request', 'call', 'request', 'call']);
});

test('work is waited for for a time; what fails after it is kept by itself', () => {
  const under = sampling({ ...LIMITS, works: 10_000 });
  const slow = under.begin('slow');
  under.begin('early', slow.within).span.end();
  under.pass(LIMITS.waitMs);
  under.begin('next').span.end();
  expect(under.tail.held).toEqual({ works: 0, ended: 0, open: 0 });
  under.begin('late', slow.within).span.end();
  fail(slow.span);
  expect(under.kept()).toEqual(['slow']);
  expect(under.tail.held).toEqual({ works: 0, ended: 0, open: 0 });
});
