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
    actor: { user: { uid: String(shown.actor['id'] ?? 'anonymous'), type: shown.actor.kind } },
    ...(shown.source_address === null ? {} : { src_endpoint: { ip: shown.source_address } }),
    ...(kind.class_uid === API_ACTIVITY.class_uid
      ? { api: { operation: String(shown.details['method'] ?? shown.event), service: { name: shown.target } } }
      : { entity: { name: shown.target, type: shown.target.split(':')[0] } }),
    unmapped: { target: shown.target, details: shown.details },
  };
}
