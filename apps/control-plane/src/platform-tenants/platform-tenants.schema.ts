import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { searchText } from '../contract/text.js';
import { mailReason, reasonText, tenantParams } from '../operators/act.js';
import { nextCursor, pageCursor, pageLimit } from '../paging/cursor.js';
import { planName } from '../platform-plans/plan-settings.js';

/** A tenant as operators see it. */
export const operatedTenantSchema = z
  .strictObject({
    id: z.uuid(),
    slug: z.string(),
    name: z.string(),
    plan: z.string(),
    status: z.enum(['active', 'suspended']),
    status_reason: z.string().nullable(),
    deletion_due_at: z.iso.datetime().nullable().meta({ description: 'When it is deleted; suspended until then.' }),
    home_region: z.string().nullable().meta({ description: 'The region that alone serves it; null: any.' }),
    legal_hold: z.boolean(),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'OperatedTenant' });

const oneTenant = z.strictObject({ tenant: operatedTenantSchema });

/** `GET /admin/v1/tenants` */
export const listTenants = contract({
  summary: 'List and search tenants.',
  query: z.strictObject({
    status: z.enum(['active', 'suspended']).optional(),
    plan: planName.optional(),
    q: searchText(120)
      .optional()
      .meta({ description: 'Part of a slug or name; or a tenant’s id, or the whole address of one of its members.' }),
    limit: pageLimit(100),
    cursor: pageCursor,
  }),
  answer: {
    status: 200,
    means: 'Tenants, newest first.',
    schema: z.strictObject({ tenants: z.array(operatedTenantSchema), next_cursor: nextCursor }),
  },
});

/** `GET /admin/v1/tenants/{tenant}` */
export const showTenant = contract({
  summary: 'Show one tenant.',
  params: tenantParams,
  answer: { status: 200, means: 'The tenant.', schema: oneTenant },
});

/** `POST /admin/v1/tenants/{tenant}/suspend` */
export const suspendTenant = contract({
  summary: 'Suspend a tenant: its URLs and API refuse at once, its workers stop, its owners get a mail.',
  params: tenantParams,
  body: jsonBody(z.strictObject({ reason: reasonText, mail_reason: mailReason })),
  answer: { status: 200, means: 'The tenant is suspended.', schema: oneTenant },
  refuses: ['conflict'],
});

/** `POST /admin/v1/tenants/{tenant}/resume` */
export const resumeTenant = contract({
  summary: 'Let a suspended tenant work again; its owners get a mail.',
  params: tenantParams,
  body: jsonBody(z.strictObject({ reason: reasonText, mail_reason: mailReason })),
  answer: { status: 200, means: 'The tenant is active.', schema: oneTenant },
  refuses: ['conflict'],
});

/** `PUT /admin/v1/tenants/{tenant}/plan` */
export const assignPlan = contract({
  summary: 'Assign a plan to a tenant; its limits apply at once.',
  params: tenantParams,
  body: jsonBody(z.strictObject({ plan: planName, reason: reasonText })),
  answer: { status: 200, means: 'The tenant has this plan.', schema: oneTenant },
  refuses: ['unprocessable', 'conflict'],
});
