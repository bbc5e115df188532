import { SpanKind } from '@opentelemetry/api';
import { startWorkSpan, type WorkSpan } from '#libs/telemetry';
import type { EgressAnswer, EgressRequest } from './egress-request.js';

/**
 * The span of a tool's request to its upstream (OpenTelemetry, HTTP client conventions). No path and no query: a tool's
 * arguments stand there, and a tenant's secret may.
 */
export function startRequestSpan({ traceparent, method, url, tool }: EgressRequest): WorkSpan | undefined {
  return startWorkSpan(() => {
    const target = URL.parse(url);
    return {
      room: 'egress',
      name: method,
      kind: SpanKind.CLIENT,
      parent: traceparent,
      within: 'this process',
      attributes: {
        'http.request.method': method,
        'gen_ai.tool.name': tool,
        ...(target === null ? {} : { 'server.address': target.hostname, 'server.port': portOf(target) }),
      },
    };
  });
}

/** Ends it with what the upstream answered, or why it did not. */
export function endRequestSpan(span: WorkSpan | undefined, answer: EgressAnswer): void {
  if (span === undefined) return;
  if (answer.kind === 'failed') span.end(answer.reason);
  else
    span.end(answer.status >= 400 ? String(answer.status) : undefined, { 'http.response.status_code': answer.status });
}

/** The request with the `traceparent` that its upstream continues the trace by: ours, whatever the tool says. */
export function withTraceparent(request: EgressRequest, span: WorkSpan | undefined): EgressRequest {
  const traceparent = span?.traceparent ?? request.traceparent;
  return traceparent === undefined ? request : { ...request, headers: { ...request.headers, traceparent } };
}

function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}
