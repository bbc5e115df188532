import { SpanKind } from '@opentelemetry/api';
import type { Envelope } from '#libs/protocol';
import { startWorkSpan, type WorkSpan } from '#libs/telemetry';

/** The span of a call in this process: from its frame to its last one. */
export function startCallSpan(envelope: Envelope): WorkSpan | undefined {
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
