import { SpanKind } from '@opentelemetry/api';
import type { Envelope } from '#libs/protocol';
import { startWorkSpan, type WorkSpan } from '#libs/telemetry';

/**
 * The envelope as part of this process's span of the call, where spans are exported; the span is kept with its exchange,
 * which ends it.
 */
export function traced(envelope: Envelope, exchange: { span?: WorkSpan } | undefined): Envelope {
  const span = exchange === undefined ? undefined : startCallSpan(envelope);
  if (span === undefined || exchange === undefined) return envelope;
  exchange.span = span;
  return { ...envelope, traceparent: span.traceparent };
}

/** The span of a call in this process: from its frame to its last one. */
function startCallSpan(envelope: Envelope): WorkSpan | undefined {
  return startWorkSpan(() => ({
    room: 'intake',
    name: `worker-runtime ${envelope.operation}`,
    kind: SpanKind.SERVER,
    parent: envelope.traceparent,
    attributes: {
      'wharf.tenant.id': envelope.route.tenantId,
      'wharf.servers': envelope.route.mounts.map(({ serverSlug }) => serverSlug),
      'wharf.releases': envelope.route.mounts.map(({ releaseId }) => releaseId),
      'wharf.era': envelope.era,
    },
  }));
}
