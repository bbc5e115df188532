import type { ShownRecord } from './shown-record.js';

interface OcsfClass {
  readonly class_uid: number;
  readonly class_name: string;
  readonly category_uid: number;
  readonly category_name: string;
  readonly activity_id: number;
}

const API_ACTIVITY = {
  class_uid: 6003,
  class_name: 'API Activity',
  category_uid: 6,
  category_name: 'Application Activity',
};
const AUTHENTICATION = {
  class_uid: 3002,
  class_name: 'Authentication',
  category_uid: 3,
  category_name: 'Identity & Access Management',
};
const ENTITY_MANAGEMENT = { ...AUTHENTICATION, class_uid: 3004, class_name: 'Entity Management' };

function ocsfClass(event: string): OcsfClass {
  if (event.startsWith('call.')) return { ...API_ACTIVITY, activity_id: 99 };
  if (/^(login|token|consent|grant)\./.test(event)) return { ...AUTHENTICATION, activity_id: 1 };
  const done = event.split('.')[1] ?? '';
  if (/^(created|added|uploaded)$/.test(done)) return { ...ENTITY_MANAGEMENT, activity_id: 1 };
  if (/^(deleted|removed|revoked|erased)$/.test(done)) return { ...ENTITY_MANAGEMENT, activity_id: 4 };
  return { ...ENTITY_MANAGEMENT, activity_id: 3 };
}

/** What OCSF has fields for of a call; times are in milliseconds, lengths in bytes. */
function callFields({ id, event, target, outcome, details, source_address: address }: ShownRecord): object {
  const {
    method,
    name,
    server,
    http_status: status,
    rpc_code: code,
    duration_ms: duration,
    bytes_in: sent,
    bytes_out: received,
  } = details;
  return {
    api: {
      operation: String(method ?? event),
      service: { name: String(server ?? target), uid: target },
      request: { uid: id },
      response: { ...(typeof code === 'number' ? { code, error: outcome } : {}), message: outcome },
    },
    // The class needs one, whoever it was.
    src_endpoint: address === null ? { name: 'unknown' } : { ip: address },
    http_request: { http_method: 'POST', ...(typeof sent === 'number' ? { length: sent } : {}) },
    ...(typeof status === 'number'
      ? {
          status_code: String(status),
          http_response: {
            code: status,
            ...(typeof received === 'number' ? { length: received } : {}),
            ...(typeof duration === 'number' ? { latency: Math.round(duration) } : {}),
          },
        }
      : {}),
    ...(typeof duration === 'number' ? { duration: Math.round(duration) } : {}),
    ...(typeof name === 'string' ? { resources: [{ name, type: String(method ?? 'call') }] } : {}),
  };
}

/** A record as an OCSF 1.3 event: calls are API Activity, sign-ins Authentication, the rest Entity Management. */
export function ocsfEvent(leafIndex: number, shown: ShownRecord): object {
  const kind = ocsfClass(shown.event);
  const good = shown.outcome === 'ok';
  return {
    ...kind,
    activity_name: shown.event,
    type_uid: kind.class_uid * 100 + kind.activity_id,
    time: Date.parse(shown.at),
    severity_id: good ? 1 : 2,
    status_id: good ? 1 : 2,
    status: good ? 'Success' : 'Failure',
    status_detail: shown.outcome,
    metadata: {
      version: '1.3.0',
      product: { name: 'Wharf', vendor_name: 'Wharf' },
      uid: shown.id,
      sequence: leafIndex,
      ...(shown.trace_id === null ? {} : { correlation_uid: shown.trace_id }),
    },
    actor: {
      user: { uid: String(shown.actor['id'] ?? 'anonymous'), type: shown.actor.kind },
      ...(typeof shown.actor['client'] === 'string' ? { app_uid: shown.actor['client'] } : {}),
    },
    ...(shown.source_address === null ? {} : { src_endpoint: { ip: shown.source_address } }),
    ...(kind.class_uid === API_ACTIVITY.class_uid
      ? callFields(shown)
      : { entity: { name: shown.target, type: shown.target.split(':')[0] } }),
    unmapped: { target: shown.target, details: shown.details },
  };
}
