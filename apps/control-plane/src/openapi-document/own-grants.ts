import { z } from 'zod';
import { contract } from '../contract/contract.js';
import type { DocumentedRoute } from './build-document.js';

const grant = z
  .strictObject({
    id: z.string().regex(/^[0-9a-f]{64}$/),
    client: z.strictObject({
      id: z.string(),
      name: z.string().nullable(),
      redirect_host: z.string().nullable().meta({ description: 'Where the agent sends its person back to.' }),
    }),
    resource: z.url().meta({ description: 'The one URL that the agent may use.' }),
    scope: z.string(),
    created_at: z.iso.datetime(),
    last_used_at: z.iso.datetime().meta({ description: 'When it was last used, to the minute.' }),
  })
  .meta({ id: 'Grant' });

const OF_A_PERSON = 'Needs a person’s access token for the tenant’s management API; an API key is no person.';

/**
 * What the authorization server answers below `/v1` on the same origin: it keeps what agents hold, so that ending it is
 * one step with deleting their refresh tokens. Documented here, for the API is one.
 */
export const OWN_GRANTS: readonly DocumentedRoute[] = [
  {
    method: 'GET',
    path: '/v1/me/grants',
    access: { kind: 'person' },
    contract: contract({
      summary: 'List which agents hold access for the person of this token at this tenant.',
      description: OF_A_PERSON,
      answer: {
        status: 200,
        means: 'Last used first, 200 at most.',
        schema: z.strictObject({ grants: z.array(grant) }),
      },
    }),
  },
  {
    method: 'DELETE',
    path: '/v1/me/grants/{id}',
    access: { kind: 'person' },
    contract: contract({
      summary: 'End what an agent holds: it stops working within 5 seconds, on open streams too.',
      description: OF_A_PERSON,
      params: z.strictObject({ id: z.string().regex(/^[0-9a-f]{64}$/) }),
      answer: { status: 204, means: 'It has ended.' },
    }),
  },
];
