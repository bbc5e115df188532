import { z } from 'zod';
import { regionName } from '../platform/regions.js';
import { contract, jsonBody } from '../contract/contract.js';
import { mailReason, reasonText, tenantParams } from '../operators/act.js';
import { nextCursor, pageCursor, pageLimit } from '../paging/cursor.js';
import { deletionSchema } from '../tenant-deletion/deletion-view.js';

const operatedDeletion = z
  .strictObject({
    ...deletionSchema.shape,
    tenant: z.strictObject({ id: z.uuid(), slug: z.string() }),
    step: z.string().meta({ description: 'How far it is: `connections`, `keys`, `rows`.' }),
    started_at: z.iso.datetime().nullable(),
    legal_hold: z.boolean(),
    receipt: z.string().nullable().meta({
      description: 'A JWS (RFC 7515) that says what was deleted, signed by the key that signs audit checkpoints.',
    }),
  })
  .meta({ id: 'OperatedDeletion' });

/** `POST /admin/v1/tenants/{tenant}/deletion` */
export const requestDeletion = contract({
  summary: 'Have a tenant deleted, with everything it owns, when a grace period is over; it is closed at once.',
  params: tenantParams,
  body: jsonBody(
    z.strictObject({
      confirm: z.string().max(63).meta({ description: 'The tenant’s slug once more.' }),
      grace_days: z.int().min(0).max(365).optional().meta({
        description: 'Default: as the plan says. A key names no fewer, and one at least; who has signed in any.',
      }),
      reason: reasonText,
      mail_reason: mailReason,
    }),
  ),
  answer: { status: 202, means: 'The tenant is closed, and will be deleted.', schema: operatedDeletion },
  refuses: ['conflict'],
});

/** `POST /admin/v1/tenants/{tenant}/restore` */
export const cancelDeletion = contract({
  summary: 'Keep a tenant that was to be deleted; it is again what it was.',
  params: tenantParams,
  body: jsonBody(z.strictObject({ reason: reasonText, mail_reason: mailReason })),
  answer: { status: 200, means: 'The deletion is cancelled.', schema: operatedDeletion },
  refuses: ['conflict'],
});

/** `GET /admin/v1/tenant-deletions` */
export const listDeletions = contract({
  summary: 'List deletions of tenants, with the receipts of those that are done.',
  query: z.strictObject({
    state: z.enum(['waiting', 'cancelled', 'deleting', 'deleted']).optional(),
    tenant: tenantParams.shape.tenant.optional().meta({
      description: 'Only of this tenant, by the slug that it had, or by its id; also once it is gone.',
    }),
    limit: pageLimit(100),
    cursor: pageCursor,
  }),
  answer: {
    status: 200,
    means: 'Deletions, newest first.',
    schema: z.strictObject({ deletions: z.array(operatedDeletion), next_cursor: nextCursor }),
  },
});

/** `PUT /admin/v1/tenants/{tenant}/home-region` */
export const assignRegion = contract({
  summary: 'Decide which region alone serves a tenant; services of others refuse it.',
  params: tenantParams,
  body: jsonBody(
    z.strictObject({
      region: regionName.nullable().meta({ description: 'As services name theirs in `WHARF_REGION`; null: any.' }),
      reason: reasonText,
    }),
  ),
  answer: { status: 204, means: 'The tenant is served by this region alone.' },
  refuses: ['conflict'],
});
