import { randomBytes } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import {
  context,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Context,
  type Span,
} from '@opentelemetry/api';
import { clientAddress, requestTraceparent, securityHeaders } from '#libs/http';
import { meter, tracer, type Logger } from '#libs/telemetry';
import type { ManagedRequest } from './managed-request.js';

/** What watching requests needs. */
export interface ObserveOptions {
  readonly logger: Logger;
  readonly trustProxy: boolean;
}

/**
 * Wraps the application: one span, one access log line and one duration for each request. A request's id is its trace's,
 * so that one word finds the answer, the line, the span and the audit records. The line names the route's
 * pattern, never the URL itself, because a URL may carry what somebody should not have put there.
 */
export function observed(application: RequestListener, options: ObserveOptions): RequestListener {
  const spans = tracer('control-plane');
  const durations = meter('control-plane').createHistogram('wharf_management_request_seconds', {
    unit: 's',
    advice: { explicitBucketBoundaries: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] },
  });
  return (incoming, response) => {
    const traceparent = requestTraceparent(incoming);
    const parent = propagation.extract(context.active(), traceparent === undefined ? {} : { traceparent });
    const started = spans.startSpan(`${incoming.method ?? '?'} management`, { kind: SpanKind.SERVER }, parent);
    const span = identified(started, parent);
    const request = withOrigin(incoming, span, options.trustProxy);
    const startedAt = performance.now();
    response.once('close', () => {
      const ms = performance.now() - startedAt;
      const labels = { method: request.method, route: routeOf(request), status: response.statusCode };
      context.with(trace.setSpan(parent, span), () => options.logger.info(lineOf(request, response, ms), 'request'));
      durations.record(ms / 1_000, labels);
      endSpan(span, request, response);
    });
    securityHeaders(response);
    response.setHeader('x-request-id', request.origin.traceId);
    response.setHeader('cache-control', 'no-store');
    response.setHeader('x-frame-options', 'DENY');
    response.setHeader('content-security-policy', "default-src 'none'; frame-ancestors 'none'");
    context.with(trace.setSpan(parent, span), () => application(request, response));
  };
}

/** A span that has ids even where no tracing is configured, so that log lines and audit records can be found by them. */
function identified(span: Span, parent: Context): Span {
  if (trace.isSpanContextValid(span.spanContext())) return span;
  const traceId = trace.getSpanContext(parent)?.traceId ?? randomBytes(16).toString('hex');
  return trace.wrapSpanContext({ traceId, spanId: randomBytes(8).toString('hex'), traceFlags: TraceFlags.NONE });
}

function withOrigin(incoming: IncomingMessage, span: Span, trustProxy: boolean): ManagedRequest {
  const origin = { sourceAddress: clientAddress(incoming, trustProxy), traceId: span.spanContext().traceId };
  // Express gives this very object its own prototype before any handler of ours sees it.
  return Object.assign(incoming, { origin }) as ManagedRequest;
}

function lineOf(request: ManagedRequest, response: ServerResponse, ms: number): Record<string, unknown> {
  const { caller } = request;
  return {
    request_id: request.origin.traceId,
    method: request.method,
    route: routeOf(request),
    status: response.statusCode,
    ms: Math.round(ms * 10) / 10,
    complete: response.writableFinished,
    address: request.origin.sourceAddress,
    ...(caller?.kind === 'tenant' ? { tenant_id: caller.tenantId } : {}),
    ...(caller?.kind === 'operator' ? { operator_id: caller.operatorId } : {}),
  };
}

/** The pattern of the matched route; bounded, unlike the URL. */
function routeOf(request: ManagedRequest): string {
  const path: unknown = request.route?.path;
  return typeof path === 'string' ? path : 'none';
}

function endSpan(span: Span, request: ManagedRequest, response: ServerResponse): void {
  span.updateName(`${request.method} ${routeOf(request)}`);
  span.setAttributes({ 'http.request.method': request.method, 'http.response.status_code': response.statusCode });
  if (response.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}
