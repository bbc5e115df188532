import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { reasonText, tenantParams } from '../operators/act.js';
import { limitsOfOwn } from '../platform-plans/plan-settings.js';

const answered = z
  .strictObject({
    plan: z.string(),
    limits: limitsOfOwn.meta({ description: 'What stands in place of the plan’s.' }),
    reason: z.string().nullable(),
    effective: limitsOfOwn.required().meta({ description: 'What holds: the plan’s, but for the above.' }),
  })
  .meta({ id: 'TenantLimits' });

/** `GET /admin/v1/tenants/{tenant}/limits` */
export const showLimits = contract({
  summary: 'Show the limits that hold for a tenant, and which of them stand in place of its plan’s.',
  params: tenantParams,
  etag: 'shown',
  answer: { status: 200, means: 'The limits.', schema: answered },
});

/** `PUT /admin/v1/tenants/{tenant}/limits` */
export const setLimits = contract({
  summary: 'Give a tenant limits in place of its plan’s, at once; those left out are the plan’s again.',
  params: tenantParams,
  body: jsonBody(z.strictObject({ limits: limitsOfOwn, reason: reasonText })),
  etag: 'compared',
  answer: { status: 200, means: 'The limits that hold now.', schema: answered },
});
