import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { flagName, flagState, tenantFlagSchema } from '../feature-flags/feature-flags.schema.js';
import { reasonText, tenantParams } from '../operators/act.js';
import { nextCursor, shortList } from '../paging/cursor.js';

const percent = z
  .int()
  .min(0)
  .max(100)
  .meta({
    description:
      'The part of the tenants for which it is on, chosen by a hash of the tenant: more percent keep those it had. 0 is ' +
      'off for everybody but those for whom an operator has decided otherwise.',
  });

const platformFlagSchema = z
  .strictObject({ flag: flagName, description: z.string(), percent, tenant_chooses: z.boolean() })
  .meta({ id: 'PlatformFeatureFlag' });

const operatedFlagSchema = z
  .strictObject({
    ...tenantFlagSchema.shape,
    decided: flagState.meta({ description: 'What an operator decided for this tenant; comes before everything else.' }),
  })
  .meta({ id: 'OperatedFeatureFlag' });

/** `GET /admin/v1/feature-flags` */
export const listPlatformFlags = contract({
  summary: 'List the feature flags and for which part of the tenants each is on.',
  query: z.strictObject({ ...shortList }),
  answer: {
    status: 200,
    means: 'The flags by name.',
    schema: z.strictObject({ flags: z.array(platformFlagSchema), next_cursor: nextCursor }),
  },
});

/** `PATCH /admin/v1/feature-flags` */
export const setPlatformFlag = contract({
  summary: 'Say for which part of the tenants a feature is on; gateways follow within 2 s.',
  body: jsonBody(z.strictObject({ flag: flagName, percent, reason: reasonText })),
  answer: { status: 200, means: 'The flag as it is now.', schema: platformFlagSchema },
});

/** `GET /admin/v1/tenants/{tenant}/feature-flags` */
export const listTenantFlags = contract({
  summary: 'List the feature flags as they are for a tenant, and who decided so.',
  params: tenantParams,
  query: z.strictObject({ ...shortList }),
  answer: {
    status: 200,
    means: 'The flags by name.',
    schema: z.strictObject({ flags: z.array(operatedFlagSchema), next_cursor: nextCursor }),
  },
});

/** `PATCH /admin/v1/tenants/{tenant}/feature-flags` */
export const decideTenantFlag = contract({
  summary: 'Decide about a feature for one tenant, before its own choice and whatever the platform has.',
  params: tenantParams,
  body: jsonBody(z.strictObject({ flag: flagName, state: flagState, reason: reasonText })),
  answer: { status: 200, means: 'The flag as it is now.', schema: operatedFlagSchema },
});
