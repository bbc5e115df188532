import { z } from 'zod';
import { AUDIT_EVENTS } from '#libs/audit';
import { contract, jsonBody } from '../contract/contract.js';
import { overlapSeconds } from '../contract/overlap.js';
import { lineOfText } from '../contract/text.js';
import { nextCursor, pageCursor, pageLimit, shortList } from '../paging/cursor.js';
import { streamHeaders } from './stream-headers.js';

const EVENTS_MAX = 50;
const EVENTS = [...Object.keys(AUDIT_EVENTS), 'audit.checkpoint'];

/** What became of a delivery. */
export const DELIVERY_STATES = ['pending', 'delivered', 'dead'] as const;
const FORMATS = ['record', 'ocsf', 'otlp'] as const;

const params = z.strictObject({ webhook: z.uuid().meta({ description: 'The webhook’s id.' }) });

const eventPattern = z
  .string()
  .max(64)
  .refine(
    isKnown,
    'an event of the audit log such as release.published, `audit.checkpoint`, or a pattern: release.* or *',
  );

const fields = {
  name: lineOfText(100),
  url: z
    .string()
    .max(2_048)
    .refine((text) => URL.canParse(text) && new URL(text).hash === '', 'an absolute URL without a fragment')
    .transform((text) => new URL(text).href)
    .meta({ description: 'Where to send: https on a public address, or what an operator opened for this tenant.' }),
  events: z
    .array(eventPattern)
    .min(1)
    .max(EVENTS_MAX)
    .refine((events) => new Set(events).size === events.length, 'each pattern once')
    .meta({ description: 'Which events: by name, all that begin alike (`release.*`), or all (`*`).' }),
  format: z
    .enum(FORMATS)
    .meta({ description: '`record` with its hash, as `wharf-verify` reads it, OCSF 1.3, or OTLP logs.' }),
  fromLeaf: z.int().min(0).meta({
    description: 'The number of the record to go on from; at most that of the next to come.',
  }),
};

/** A webhook with all but its secret. */
export const webhookSchema = z
  .strictObject({
    id: z.uuid(),
    name: z.string(),
    url: z.string(),
    mode: z.enum(['each', 'stream']),
    events: z.array(z.string()),
    stream: z
      .strictObject({ format: z.enum(FORMATS), next_leaf: z.int(), header_names: z.array(z.string()) })
      .nullable()
      .meta({
        description: 'How far a stream has come: records before `next_leaf` were taken; of its headers the names.',
      }),
    state: z.enum(['active', 'paused']),
    paused_because: z
      .enum(['asked', 'failing', 'gone', 'overflowing'])
      .nullable()
      .meta({ description: 'Paused on request, or by itself: failing for days, answering 410, too much waiting.' }),
    failing_since: z.iso.datetime().nullable(),
    last_failure: z.string().nullable(),
    previous_secret_expires_at: z.iso.datetime().nullable().meta({
      description: 'Until when messages are signed with the secret before the present one too.',
    }),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'Webhook' });

/** One thing that a webhook is sent. */
export const deliverySchema = z
  .strictObject({
    id: z.uuid().meta({ description: 'The `webhook-id` of every attempt.' }),
    type: z.string(),
    record_id: z.uuid().nullable(),
    checkpoint_size: z.int().nullable(),
    state: z.enum(DELIVERY_STATES),
    attempts: z.int(),
    last_status: z.int().nullable(),
    last_failure: z.string().nullable(),
    attempted_at: z.iso.datetime().nullable(),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'WebhookDelivery' });

const secretText = z.string().meta({ description: 'The signing secret, `whsec_…`, shown this once.' });

/** `GET /v1/webhooks` */
export const listWebhooks = contract({
  summary: 'List the webhooks; never their secrets.',
  query: z.strictObject({ state: z.enum(['active', 'paused']).optional(), ...shortList }),
  answer: {
    status: 200,
    means: 'The webhooks, newest first.',
    schema: z.strictObject({ webhooks: z.array(webhookSchema), next_cursor: nextCursor }),
  },
});

/** `POST /v1/webhooks` */
export const createWebhook = contract({
  summary: 'Have events sent to a URL, signed as Standard Webhooks says.',
  description:
    'With `each`, every event that a pattern names is a delivery of its own. With `stream`, every record of the audit ' +
    'log, calls too, is sent in batches in the order of the log. Both are sent at least once.',
  body: jsonBody(
    z.discriminatedUnion('mode', [
      z.strictObject({ mode: z.literal('each'), name: fields.name, url: fields.url, events: fields.events }),
      z.strictObject({
        mode: z.literal('stream'),
        name: fields.name,
        url: fields.url,
        format: fields.format.optional(),
        from_leaf: fields.fromLeaf.optional(),
        headers: streamHeaders.optional(),
      }),
    ]),
    { bytesMax: 64 * 1024 },
  ),
  answer: {
    status: 201,
    means: 'The webhook with its secret.',
    schema: z.strictObject({ webhook: webhookSchema, secret: secretText }),
  },
  refuses: ['conflict'],
});

/** `GET /v1/webhooks/{webhook}` */
export const getWebhook = contract({
  summary: 'Show one webhook.',
  params,
  etag: 'shown',
  answer: { status: 200, means: 'The webhook.', schema: webhookSchema },
});

/** `PATCH /v1/webhooks/{webhook}` */
export const changeWebhook = contract({
  summary: 'Change, pause or resume a webhook.',
  description:
    'Paused, a webhook is sent nothing. Resumed, it is sent what was waiting, and a stream goes on where it was; of ' +
    'events with `each` those that happened meanwhile are not sent later.',
  params,
  body: jsonBody(
    z
      .strictObject({
        name: fields.name,
        url: fields.url,
        events: fields.events,
        format: fields.format,
        from_leaf: fields.fromLeaf,
        headers: streamHeaders,
        state: z.enum(['active', 'paused']),
      })
      .partial()
      .refine((changes) => Object.keys(changes).length > 0, 'Name at least one thing to change.'),
    { bytesMax: 64 * 1024 },
  ),
  etag: 'compared',
  answer: { status: 200, means: 'The webhook.', schema: webhookSchema },
});

/** `DELETE /v1/webhooks/{webhook}` */
export const deleteWebhook = contract({
  summary: 'Delete a webhook with what it was still to be sent.',
  params,
  etag: 'compared',
  answer: { status: 204, means: 'The webhook is gone.' },
});

/** `POST /v1/webhooks/{webhook}/secret` */
export const rotateWebhookSecret = contract({
  summary: 'Give a webhook a new secret; for the overlap messages carry both signatures.',
  description:
    'Within an overlap a webhook is given no further secret, so that the first one signs for as long as was said; with ' +
    '`overlap_seconds` 0 it is, and both before it end at once.',
  params,
  body: jsonBody(
    z.strictObject({
      overlap_seconds: overlapSeconds('the present secret signs too'),
    }),
  ),
  answer: {
    status: 200,
    means: 'The webhook with its new secret.',
    schema: z.strictObject({ webhook: webhookSchema, secret: secretText }),
  },
  refuses: ['conflict'],
});

/** `POST /v1/webhooks/{webhook}/test` */
export const testWebhook = contract({
  summary: 'Send a test event, `webhook.test`.',
  params,
  answer: { status: 202, means: 'The delivery, which waits to be sent.', schema: deliverySchema },
  refuses: ['conflict'],
});

/** `GET /v1/webhooks/{webhook}/deliveries` */
export const listDeliveries = contract({
  summary: 'List what a webhook was sent in the last 30 days, and what waits.',
  params,
  query: z.strictObject({ state: z.enum(DELIVERY_STATES).optional(), limit: pageLimit(200), cursor: pageCursor }),
  answer: {
    status: 200,
    means: 'Deliveries, newest first.',
    schema: z.strictObject({ deliveries: z.array(deliverySchema), next_cursor: nextCursor }),
  },
});

/** `POST /v1/webhooks/{webhook}/deliveries/{delivery}/replay` */
export const replayDelivery = contract({
  summary: 'Send a delivery again, now, under the same `webhook-id`.',
  params: params.extend({ delivery: z.uuid() }),
  answer: { status: 202, means: 'The delivery, which waits to be sent.', schema: deliverySchema },
  refuses: ['conflict'],
});

function isKnown(pattern: string): boolean {
  if (pattern === '*' || EVENTS.includes(pattern)) return true;
  return /^[a-z_]+\.\*$/.test(pattern) && EVENTS.some((event) => event.startsWith(pattern.slice(0, -1)));
}
