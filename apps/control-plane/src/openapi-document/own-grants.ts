import { z } from 'zod';
import { contract } from '../contract/contract.js';
import type { Route } from '../contract/route-registry.js';

const grantSchema = z
  .strictObject({
    id: z.string(),
    client: z.strictObject({ id: z.string(), name: z.string().nullable(), redirect_host: z.string().nullable() }),
    resource: z.string(),
    scope: z.string(),
    created_at: z.iso.datetime(),
    last_used_at: z.iso.datetime(),
  })
  .meta({ id: 'OwnGrant' });

const TOKEN = 'Needs the person’s own access token for a management API, and shows what is held at that tenant.';

const listOwnGrants = contract({
  summary: 'List what agents hold for oneself.',
  description: TOKEN,
  answer: { status: 200, means: 'The grants.', schema: z.strictObject({ grants: z.array(grantSchema) }) },
  refuses: ['tenant_suspended'],
});

const endOwnGrant = contract({
  summary: 'End what an agent holds for oneself, within seconds.',
  description: TOKEN,
  params: z.strictObject({ id: z.string() }),
  answer: { status: 204, means: 'It has ended.' },
});

const access = { kind: 'person' } as const;

/** The routes under `/v1` that the authorization server answers; described here, because people look for them here. */
export const OWN_GRANT_ROUTES: readonly Route[] = [
  { method: 'GET', path: '/v1/me/grants', access, contract: listOwnGrants },
  { method: 'DELETE', path: '/v1/me/grants/{id}', access, contract: endOwnGrant },
];
