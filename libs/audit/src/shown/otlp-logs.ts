import { SeverityNumber, type Attributes } from '@opentelemetry/api';
import { ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ShownRecord } from './shown-record.js';

/** A record on its way to a collector. */
export interface OtlpItem {
  readonly shown: ShownRecord;
  /** What is the log record's body: the record with what proves it, as a line of an NDJSON export. */
  readonly line: string;
}

type LogRecords = Parameters<typeof ProtobufLogsSerializer.serializeRequest>[0];
type HrTime = LogRecords[number]['hrTime'];

const SCOPE = { name: 'wharf.audit' };
const SAMPLED = 1;

/** Details of calls and the attributes that say the same in OpenTelemetry's conventions, or in ours where it has none. */
const CALL_ATTRIBUTES = {
  method: 'mcp.method.name',
  name: 'gen_ai.tool.name',
  server: 'wharf.server',
  era: 'wharf.era',
  http_status: 'http.response.status_code',
  rpc_code: 'rpc.response.status_code',
  rule: 'wharf.rule',
  duration_ms: 'wharf.duration_ms',
  queue_ms: 'wharf.queue_ms',
  worker_ms: 'wharf.worker_ms',
  upstream_ms: 'wharf.upstream_ms',
  bytes_in: 'wharf.bytes_in',
  bytes_out: 'wharf.bytes_out',
  arguments_digest: 'wharf.arguments_digest',
} as const;

/** Records of one tenant as a protobuf `ExportLogsServiceRequest` (opentelemetry.io/docs/specs/otlp). */
export function otlpLogs(tenantId: string, items: readonly OtlpItem[]): Uint8Array {
  const resource = resourceFromAttributes({ 'service.name': 'wharf', 'wharf.tenant_id': tenantId });
  const records: LogRecords = items.map(({ shown, line }) => {
    const at = hrTime(Date.parse(shown.at));
    const good = shown.outcome === 'ok';
    return {
      resource,
      instrumentationScope: SCOPE,
      hrTime: at,
      hrTimeObserved: at,
      severityNumber: good ? SeverityNumber.INFO : SeverityNumber.WARN,
      severityText: good ? 'INFO' : 'WARN',
      eventName: shown.event,
      body: line,
      attributes: attributesOf(shown),
      droppedAttributesCount: 0,
      // A record knows its trace, not a span of it.
      ...(shown.trace_id === null ? {} : { spanContext: { traceId: shown.trace_id, spanId: '', traceFlags: SAMPLED } }),
    };
  });
  return ProtobufLogsSerializer.serializeRequest(records) ?? new Uint8Array();
}

/** What a collector says of records that it refused although it took the request; undefined where it took all. */
export function otlpRejection(answer: Uint8Array): string | undefined {
  try {
    const { partialSuccess } = ProtobufLogsSerializer.deserializeResponse(answer);
    const count = Number(partialSuccess?.rejectedLogRecords ?? 0);
    if (count === 0) return undefined;
    return `The collector refused ${count} records of the last batch: ${partialSuccess?.errorMessage ?? ''}`;
  } catch {
    return undefined; // An answer that is no ExportLogsServiceResponse says nothing beside its status.
  }
}

function hrTime(ms: number): HrTime {
  return [Math.floor(ms / 1_000), (ms % 1_000) * 1_000_000];
}

function attributesOf({ actor, details, ...shown }: ShownRecord): Attributes {
  const release = details['release'];
  const released = typeof release === 'object' && release !== null && 'id' in release ? String(release.id) : undefined;
  const of: Record<string, unknown> = {
    'wharf.audit.id': shown.id,
    'wharf.audit.leaf_index': shown.leaf_index,
    'wharf.audit.target': shown.target,
    'wharf.audit.outcome': shown.outcome,
    'wharf.actor.kind': actor.kind,
    'wharf.actor.client': actor['client'],
    'user.id': actor['id'],
    'client.address': shown.source_address,
    'wharf.release.id': released,
  };
  if (shown.event.startsWith('call.'))
    for (const [detail, name] of Object.entries(CALL_ATTRIBUTES)) of[name] = details[detail];
  return Object.fromEntries(
    Object.entries(of).flatMap(([name, value]) =>
      typeof value === 'string' || typeof value === 'number' ? [[name, value]] : [],
    ),
  );
}
