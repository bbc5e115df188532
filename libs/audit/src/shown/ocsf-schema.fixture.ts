import { isIP } from 'node:net';
import { z } from 'zod';

/**
 * What OCSF 1.3.0 says of the three classes that records become, as far as we fill them: which attributes there are,
 * which are required, their types, enumerations and constraints. Nobody publishes the schema on npm, so it is written
 * down here after its source: the repository `ocsf/ocsf-schema` at 1.3.0 (`events/base_event.json`, `events/iam/*.json`,
 * `events/application/api_activity.json`, `objects/*.json`), shown at schema.ocsf.io/1.3.0/classes/{class}. An attribute
 * that is not here fails: look it up there before adding it.
 */
const text = z.string().min(1);
const ip = z.string().refine((value) => isIP(value) !== 0, 'an IP address');

/** Object `user`; its type is an enumeration, and at least one of `account`, `name` and `uid` is there. */
const user = z.strictObject({
  uid: text,
  type: text,
  type_id: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3), z.literal(99)]),
  email_addr: text.optional(),
});
/** Object `actor`: at least one of `user`, `app_uid` and others. */
const actor = z.strictObject({ user, app_uid: text.optional() });
/** Object `network_endpoint`: at least one of `ip`, `name` and others. */
const endpoint = z
  .strictObject({ ip: ip.optional(), name: text.optional() })
  .refine((value) => Object.keys(value).length > 0, 'at least one of ip and name');
const service = z.strictObject({ name: text, uid: text });

const metadata = z.strictObject({
  version: z.literal('1.3.0'),
  product: z.strictObject({ name: text, vendor_name: text }),
  profiles: z.array(z.literal('host')),
  uid: text,
  event_code: text,
  sequence: z.int().min(0),
  correlation_uid: text.optional(),
});

const baseEvent = {
  activity_id: z.int(),
  activity_name: text,
  category_name: text,
  category_uid: z.int(),
  class_name: text,
  class_uid: z.int(),
  duration: z.int().min(0).optional(),
  message: text,
  metadata,
  severity_id: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3), z.literal(4), z.literal(5)]),
  status: text,
  status_code: text.optional(),
  status_detail: text,
  status_id: z.union([z.literal(1), z.literal(2)]),
  time: z.int().min(0),
  type_name: text,
  type_uid: z.int(),
  unmapped: z.record(z.string(), z.unknown()),
};

const apiActivity = z.strictObject({
  ...baseEvent,
  class_uid: z.literal(6003),
  class_name: z.literal('API Activity'),
  category_uid: z.literal(6),
  category_name: z.literal('Application Activity'),
  actor,
  api: z.strictObject({
    operation: text,
    service,
    request: z.strictObject({ uid: text }),
    response: z.strictObject({ code: z.int().optional(), error: text.optional(), message: text }),
  }),
  src_endpoint: endpoint,
  http_request: z
    .strictObject({ http_method: z.enum(['GET', 'POST', 'DELETE']), length: z.int().optional() })
    .optional(),
  resources: z.array(z.strictObject({ name: text, type: text })).optional(),
});

const iam = {
  ...baseEvent,
  category_uid: z.literal(3),
  category_name: z.literal('Identity & Access Management'),
  actor,
  src_endpoint: endpoint.optional(),
};

/** At least one of `service` and `dst_endpoint` is there; ours have a service. */
const authentication = z.strictObject({
  ...iam,
  class_uid: z.literal(3002),
  class_name: z.literal('Authentication'),
  user,
  service,
  is_remote: z.boolean(),
});

const entityManagement = z.strictObject({
  ...iam,
  class_uid: z.literal(3004),
  class_name: z.literal('Entity Management'),
  entity: z.strictObject({ name: text, type: text, uid: text }),
});

/** The captions of a class's activities; 0 is `Unknown` and 99 `Other`, which has a name of the source's own. */
const ACTIVITIES: Readonly<Record<number, readonly string[]>> = {
  6003: ['Unknown', 'Create', 'Read', 'Update', 'Delete'],
  3002: [
    'Unknown',
    'Logon',
    'Logoff',
    'Authentication Ticket',
    'Service Ticket Request',
    'Service Ticket Renew',
    'Preauth',
  ],
  3004: [
    'Unknown',
    'Create',
    'Read',
    'Update',
    'Delete',
    'Move',
    'Enroll',
    'Unenroll',
    'Enable',
    'Disable',
    'Activate',
  ],
};

/** An event of one of our classes as OCSF 1.3.0 wants it. */
export const ocsf = z
  .discriminatedUnion('class_uid', [apiActivity, authentication, entityManagement])
  .refine((event) => event.type_uid === event.class_uid * 100 + event.activity_id, 'type_uid is class and activity')
  .refine(
    ({ class_uid: uid, activity_id: id, activity_name: name }) => id === 99 || ACTIVITIES[uid]?.[id] === name,
    'an activity of the class, named by its caption',
  );
