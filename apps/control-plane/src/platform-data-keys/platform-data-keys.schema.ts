import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { reasonText, tenantParams } from '../operators/act.js';

const keySchema = z
  .strictObject({
    id: z.uuid(),
    state: z.enum(['sealing', 'opening', 'unused']).meta({
      description:
        '`sealing`: new values are sealed under it. `opening`: values are still sealed under it, or may be, and are ' +
        'sealed anew. `unused`: no row names it; it is deleted 25 hours after `unused_at`.',
    }),
    rows_left: z.int().meta({ description: 'Values that are sealed under it.' }),
    rows: z.record(z.string(), z.int()).meta({ description: 'The same for each table.' }),
    created_at: z.iso.datetime(),
    unused_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'TenantDataKey' });

const keys = z.strictObject({ data_keys: z.array(keySchema) });

/** `GET /admin/v1/tenants/{tenant}/data-key` */
export const showDataKeys = contract({
  summary: 'Show a tenant’s data keys, and how many values are sealed under each.',
  params: tenantParams,
  answer: { status: 200, means: 'The keys, the one that seals first.', schema: keys },
});

/** `POST /admin/v1/tenants/{tenant}/data-key` */
export const replaceDataKey = contract({
  summary: 'Replace a tenant’s data key.',
  description:
    'New values are sealed under the new key at once. The background service begins within a quarter of a minute to seal ' +
    'the others anew, in small batches, and deletes the old key when nothing needs it.',
  params: tenantParams,
  body: jsonBody(z.strictObject({ reason: reasonText })),
  answer: { status: 202, means: 'There is a new key, and values are sealed anew.', schema: keys },
});
