import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { reasonText, tenantParams } from '../operators/act.js';
import { nextCursor, shortList } from '../paging/cursor.js';

const count = z.int().min(0);
const time = z.iso.datetime();

/** Scheme, host and port, as a release names its upstreams. */
const origin = z
  .url()
  .max(300)
  .refine((text) => URL.canParse(text) && /^https?:/.test(text) && new URL(text).origin === text, {
    message: 'an origin: scheme, host and port, such as https://api.example.com',
  });

const orderSchema = z.strictObject({
  open_until: time.nullable(),
  reset_at: time.nullable(),
  reason: z.string(),
  ordered_at: time,
});

const breakerSchema = z
  .strictObject({
    origin: z.string(),
    state: z.enum(['closed', 'open', 'half-open', 'held-open']),
    requests: count.meta({ description: 'Within the last ten seconds, on all runtimes.' }),
    failures: count,
    retry_at: time.nullable(),
    last_error: z.strictObject({ reason: z.string(), at: time }).nullable(),
    order: orderSchema.nullable().meta({ description: 'What an operator said last.' }),
  })
  .meta({ id: 'TenantBreaker' });

const oneOrder = z.strictObject({ origin: z.string(), order: orderSchema });

/** `GET /admin/v1/tenants/{tenant}/breakers` */
export const listBreakers = contract({
  summary: 'List the circuit breakers of the upstreams that a tenant called of late, the worst state of all runtimes.',
  params: tenantParams,
  query: z.strictObject({ ...shortList }),
  answer: {
    status: 200,
    means: 'The breakers by origin.',
    schema: z.strictObject({ breakers: z.array(breakerSchema), next_cursor: nextCursor, complete: z.boolean() }),
  },
});

/** `POST /admin/v1/tenants/{tenant}/breakers/open` */
export const openBreaker = contract({
  summary: 'Hold a breaker open for a time: the tenant’s tools call that upstream on no runtime until then.',
  params: tenantParams,
  body: jsonBody(
    z.strictObject({
      origin,
      minutes: z.int().min(1).max(10_080).meta({ description: 'For how long, a week at most.' }),
      reason: reasonText,
    }),
  ),
  answer: { status: 200, means: 'It is held open from the next call on.', schema: oneOrder },
  refuses: ['unprocessable', 'conflict', 'unavailable'],
});

/** `POST /admin/v1/tenants/{tenant}/breakers/reset` */
export const resetBreaker = contract({
  summary: 'Have a breaker begin anew, closed, on every runtime; it is no longer held open.',
  params: tenantParams,
  body: jsonBody(z.strictObject({ origin, reason: reasonText })),
  answer: { status: 200, means: 'It begins anew with the next call.', schema: oneOrder },
  refuses: ['unprocessable', 'conflict', 'unavailable'],
});
