import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { environmentName } from '../environments/environment-name.js';
import { releaseSchema } from '../releases/releases.schema.js';
import { refuseBadSteps, rolloutSchema, rolloutWay, withSteps } from '../rollouts/rollouts.schema.js';
import { serverParams } from '../servers/servers.schema.js';

/** `POST /v1/servers/{server}/promotions` */
export const promote = contract({
  summary: 'Bring the release that serves another environment of a server to this one.',
  description:
    'It is the same release, by its digest, and is not built again. Where something is live already it is rolled out ' +
    'with the strategy that is given, `canary` without one; a first release is published. Its secrets must be there ' +
    'under the same names, with this environment’s values.',
  params: serverParams,
  body: jsonBody(
    rolloutWay
      .extend({
        from: environmentName.meta({ description: 'The environment, or `production`, whose live release it is.' }),
        release: z
          .uuid()
          .optional()
          .meta({ description: 'The release that is meant; refused where another one is live there by now.' }),
      })
      .superRefine(refuseBadSteps)
      .transform((order) => withSteps(order)),
  ),
  answer: {
    status: 201,
    means: 'The release is here and on its way.',
    schema: z.strictObject({
      release: releaseSchema,
      rollout: rolloutSchema.nullable().meta({ description: 'Null where it is published at once.' }),
    }),
  },
  refuses: ['conflict', 'unprocessable'],
});
