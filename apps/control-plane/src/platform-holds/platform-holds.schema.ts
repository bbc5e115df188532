import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { reasonText, tenantParams } from '../operators/act.js';

const hold = z
  .strictObject({
    id: z.uuid(),
    reason: z.string(),
    told: z.boolean().meta({ description: 'Whether the tenant may know.' }),
    held_by: z.uuid().meta({ description: 'The operator who placed it.' }),
    since: z.iso.datetime(),
  })
  .meta({ id: 'LegalHold' });

/** `GET /admin/v1/tenants/{tenant}/legal-holds` */
export const listHolds = contract({
  summary: 'List the legal holds that a tenant is under, with what each is for.',
  description: 'The tenant’s own log does not say that somebody looked: it may not know of every hold.',
  params: tenantParams,
  answer: {
    status: 200,
    means: 'All holds that stand, the oldest first.',
    schema: z.strictObject({ legal_holds: z.array(hold) }),
  },
});

/** `POST /admin/v1/tenants/{tenant}/legal-holds` */
export const holdTenant = contract({
  summary: 'Put a tenant under one more legal hold: retention, erasure and deletion stop for it.',
  description: 'A hold does not change, and says nothing of others. While one stands, the tenant is held.',
  params: tenantParams,
  body: jsonBody(
    z.strictObject({
      reason: reasonText,
      told: z.boolean().default(true).meta({
        description: 'Whether the tenant may know: its audit log and its deletion say so, with the reason.',
      }),
    }),
  ),
  answer: { status: 201, means: 'The tenant is held.', schema: hold },
  refuses: ['conflict'],
});

/** `DELETE /admin/v1/tenants/{tenant}/legal-holds/{hold}` */
export const liftHold = contract({
  summary: 'Lift one legal hold of a tenant; with the last of them, what was due meanwhile is caught up with.',
  params: tenantParams.extend({ hold: z.uuid() }),
  query: z.strictObject({ reason: reasonText }),
  answer: { status: 204, means: 'This hold stands no more; others do.' },
});
