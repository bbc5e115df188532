import { z } from 'zod';
import { contract } from '../contract/contract.js';
import { nextCursor, pageLimit } from '../paging/cursor.js';
import type { DocumentedRoute } from './documented-route.js';

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
    sign_ins: z.int().meta({ description: 'How many sign-ins of this client at this URL are alive.' }),
    created_at: z.iso.datetime().meta({ description: 'When the first of them was.' }),
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
      query: z.strictObject({
        limit: pageLimit(200, 200),
        cursor: z.string().max(128).optional().meta({ description: 'The `next_cursor` of the page before.' }),
      }),
      answer: {
        status: 200,
        means: 'One row for each client and URL, last used first.',
        schema: z.strictObject({ grants: z.array(grant), next_cursor: nextCursor }),
      },
    }),
  },
  {
    method: 'DELETE',
    path: '/v1/me/grants/{id}',
    access: { kind: 'person' },
    contract: contract({
      summary: 'End what an agent holds: it stops working within 5 seconds, on open streams too.',
      description: `${OF_A_PERSON} Every sign-in of the same client at the same URL ends with it, and a code that was not redeemed.`,
      params: z.strictObject({ id: z.string().regex(/^[0-9a-f]{64}$/) }),
      answer: { status: 204, means: 'It has ended.' },
    }),
  },
];
