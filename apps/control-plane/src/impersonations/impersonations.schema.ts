import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { reasonText, tenantParams } from '../operators/act.js';
import { nextCursor, pageCursor, pageLimit } from '../paging/cursor.js';

const impersonationSchema = z
  .strictObject({
    id: z.uuid(),
    operator: z.strictObject({ id: z.uuid(), name: z.string() }),
    reason: z.string(),
    state: z.enum(['open', 'ended']),
    uses: z.int(),
    created_at: z.iso.datetime(),
    expires_at: z.iso.datetime(),
    last_used_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Impersonation' });

/** `GET /admin/v1/tenants/{tenant}/impersonations` */
export const listImpersonations = contract({
  summary: 'List operators’ looks at a tenant through its own API.',
  params: tenantParams,
  query: z.strictObject({ limit: pageLimit(100), cursor: pageCursor }),
  answer: {
    status: 200,
    means: 'Impersonations, newest first.',
    schema: z.strictObject({ impersonations: z.array(impersonationSchema), next_cursor: nextCursor }),
  },
});

/** `POST /admin/v1/tenants/{tenant}/impersonations` */
export const beginImpersonation = contract({
  summary: 'Get a token that reads a tenant’s management API for a time; every change is refused.',
  description:
    'That it was made, why, and every use of it stand in the tenant’s own audit log. Its text is shown this once.',
  params: tenantParams,
  body: jsonBody(
    z.strictObject({
      reason: reasonText,
      minutes: z.int().min(1).max(60).default(15).meta({ description: 'How long it is good for.' }),
    }),
  ),
  answer: {
    status: 201,
    means: 'The impersonation and its token, for the Authorization header at `/v1`.',
    schema: z.strictObject({ impersonation: impersonationSchema, token: z.string() }),
  },
});

/** `DELETE /admin/v1/tenants/{tenant}/impersonations/{id}` */
export const endImpersonation = contract({
  summary: 'End an impersonation before its time; its token opens nothing from then on.',
  params: tenantParams.extend({ id: z.uuid() }),
  query: z.strictObject({ reason: reasonText }),
  answer: { status: 204, means: 'It has ended.' },
});
