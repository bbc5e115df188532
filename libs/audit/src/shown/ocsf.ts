import type { ShownRecord } from './shown-record.js';

interface OcsfClass {
  readonly class_uid: number;
  readonly class_name: string;
  readonly category_uid: number;
  readonly category_name: string;
}

interface Activity {
  readonly activity_id: number;
  readonly activity_name: string;
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

const OTHER = 99;
const CREATE = { activity_id: 1, activity_name: 'Create' };
const READ = { activity_id: 2, activity_name: 'Read' };
const UPDATE = { activity_id: 3, activity_name: 'Update' };
const DELETE = { activity_id: 4, activity_name: 'Delete' };

/** User types (OCSF 1.3, object `user`) of those actors that have one there; the others say theirs in words. */
const USER_TYPES: Readonly<Record<string, number>> = { anonymous: 0, person: 1, operator: 2, system: 3 };

function classOf(event: string): OcsfClass {
  if (event.startsWith('call.')) return API_ACTIVITY;
  return /^(login|token|consent|second_factor\.failed)/.test(event) ? AUTHENTICATION : ENTITY_MANAGEMENT;
}

/** What was done in OCSF's words where it has some, and in ours where not. */
function activityOf({ class_uid: uid }: OcsfClass, event: string): Activity {
  const ours = { activity_id: OTHER, activity_name: event };
  if (uid === API_ACTIVITY.class_uid) return ours;
  if (uid === AUTHENTICATION.class_uid)
    return event.startsWith('login.') ? { activity_id: 1, activity_name: 'Logon' } : ours;
  const done = event.split('.')[1] ?? '';
  if (/^(created|added|uploaded|enrolled)$/.test(done)) return CREATE;
  if (/^(deleted|removed|revoked|erased|withdrawn)$/.test(done)) return DELETE;
  if (/^(read|exported|archive_read|viewed)$/.test(done)) return READ;
  return /^(changed|role_changed|groups_changed|people_changed|written|rotated|secret_rotated)$/.test(done)
    ? UPDATE
    : ours;
}

function userOf({ kind, id }: ShownRecord['actor']): object {
  return { uid: String(id ?? 'anonymous'), type: kind, type_id: USER_TYPES[kind] ?? OTHER };
}

/** What OCSF has fields for of a call; times are in milliseconds, lengths in bytes. */
function callFields({ id, event, target, outcome, details, source_address: address }: ShownRecord): object {
  const { method, name, server, http_status: status, rpc_code: code, duration_ms: duration, bytes_in: sent } = details;
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
    ...(typeof status === 'number' ? { status_code: String(status) } : {}),
    ...(typeof duration === 'number' ? { duration: Math.round(duration) } : {}),
    ...(typeof name === 'string' ? { resources: [{ name, type: String(method ?? 'call') }] } : {}),
  };
}

/** Who was authenticated, or was not, and where: a failed sign-in names the account it was about, where that is known. */
function authenticationFields({ actor, target, details }: ShownRecord): object {
  const { account, email } = details;
  const user = typeof account === 'string' ? userOf({ kind: 'person', id: account }) : userOf(actor);
  return {
    user: { ...user, ...(typeof email === 'string' ? { email_addr: email } : {}) },
    service: { name: 'Wharf', uid: target },
    is_remote: true,
  };
}

function fieldsOf({ class_uid: uid }: OcsfClass, shown: ShownRecord): object {
  if (uid === API_ACTIVITY.class_uid) return callFields(shown);
  if (uid === AUTHENTICATION.class_uid) return authenticationFields(shown);
  return { entity: { name: shown.target, type: shown.target.split(':')[0], uid: shown.target } };
}

/** A record as an OCSF 1.3 event: calls are API Activity, sign-ins and tokens Authentication, the rest Entity Management. */
export function ocsfEvent(leafIndex: number, shown: ShownRecord): object {
  const kind = classOf(shown.event);
  const activity = activityOf(kind, shown.event);
  const good = shown.outcome === 'ok';
  return {
    ...kind,
    ...activity,
    type_uid: kind.class_uid * 100 + activity.activity_id,
    type_name: `${kind.class_name}: ${activity.activity_id === OTHER ? 'Other' : activity.activity_name}`,
    time: Date.parse(shown.at),
    severity_id: good ? 1 : 2,
    status_id: good ? 1 : 2,
    status: good ? 'Success' : 'Failure',
    status_detail: shown.outcome,
    message: `${shown.event} ${shown.outcome}`,
    metadata: {
      version: '1.3.0',
      profiles: ['host'],
      product: { name: 'Wharf', vendor_name: 'Wharf' },
      uid: shown.id,
      event_code: shown.event,
      sequence: leafIndex,
      ...(shown.trace_id === null ? {} : { correlation_uid: shown.trace_id }),
    },
    actor: {
      user: userOf(shown.actor),
      ...(typeof shown.actor['client'] === 'string' ? { app_uid: shown.actor['client'] } : {}),
    },
    ...(shown.source_address === null ? {} : { src_endpoint: { ip: shown.source_address } }),
    ...fieldsOf(kind, shown),
    unmapped: { target: shown.target, details: shown.details },
  };
}
