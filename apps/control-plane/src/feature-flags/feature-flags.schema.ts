import { z } from 'zod';
import { FLAG_NAMES } from '#libs/flags';
import { contract, jsonBody } from '../contract/contract.js';
import { nextCursor, shortList } from '../paging/cursor.js';

/** The name of a feature flag; a refusal of any other lists those there are. */
export const flagName = z.enum(FLAG_NAMES, { error: `There are the flags ${FLAG_NAMES.join(', ')}.` });

/** What somebody decides about a flag for one tenant. */
export const flagState = z
  .enum(['on', 'off', 'default'])
  .meta({ description: '`default` takes a decision back: the flag is as the platform has it.' });

/** A flag as it is for one tenant. */
export const tenantFlagSchema = z
  .strictObject({
    flag: flagName,
    description: z.string(),
    enabled: z.boolean().meta({ description: 'Whether the feature is on for the tenant now.' }),
    chosen: flagState.meta({ description: 'What the tenant chose.' }),
    tenant_chooses: z.boolean().meta({ description: 'Whether the tenant may choose.' }),
  })
  .meta({ id: 'FeatureFlag' });

/** `GET /v1/feature-flags` */
export const listFlags = contract({
  summary: 'List the platform’s feature flags, and which are on for the tenant.',
  query: z.strictObject({ ...shortList }),
  answer: {
    status: 200,
    means: 'The flags by name.',
    schema: z.strictObject({ flags: z.array(tenantFlagSchema), next_cursor: nextCursor }),
  },
});

/** `PATCH /v1/feature-flags` */
export const chooseFlag = contract({
  summary: 'Choose whether a feature is on, where the tenant may.',
  description:
    'Choosing `on` does not switch on what the platform has off for everybody, and an operator’s decision for the ' +
    'tenant comes before its own. The answer says what came of it.',
  body: jsonBody(z.strictObject({ flag: flagName, state: flagState })),
  answer: { status: 200, means: 'The flag as it is now.', schema: tenantFlagSchema },
  refuses: ['unprocessable'],
});
