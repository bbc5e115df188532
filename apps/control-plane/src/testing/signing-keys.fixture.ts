import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import type { ControlPlane } from './control-plane.fixture.js';
import type { MakeExample } from './example.fixture.js';

const REASON = 'because a test says so';

/** A row as the authorization server would write it; the control-plane sees no private part. */
async function newSigningKey({ databaseUrl }: ControlPlane): Promise<string> {
  const kid = randomBytes(32).toString('base64url');
  const owner = new Client({ connectionString: databaseUrl });
  await owner.connect();
  await owner.query(`insert into signing_keys (kid, alg, public_jwk, private_jwk) values ($1, 'ES256', '{}', 'x')`, [
    kid,
  ]);
  await owner.end();
  return kid;
}

/** A good request to each route of the signing, the master and the data keys. */
export const SIGNING_KEY_EXAMPLES: Readonly<Record<string, MakeExample>> = {
  'GET /admin/v1/tenants/{tenant}/data-key': (_, { slug }) => ({
    path: `/admin/v1/tenants/${slug}/data-key`,
    status: 200,
  }),
  'POST /admin/v1/tenants/{tenant}/data-key': (_, { slug }) => ({
    path: `/admin/v1/tenants/${slug}/data-key`,
    status: 202,
    body: { reason: REASON },
  }),
  'GET /admin/v1/master-keys': () => ({ path: '/admin/v1/master-keys', status: 200 }),
  'POST /admin/v1/master-keys/rewrap': () => ({
    path: '/admin/v1/master-keys/rewrap',
    status: 202,
    body: { reason: REASON },
  }),
  'GET /admin/v1/signing-keys': () => ({ path: '/admin/v1/signing-keys', status: 200 }),
  'POST /admin/v1/signing-keys/rotation': () => ({
    path: '/admin/v1/signing-keys/rotation',
    status: 202,
    body: { reason: REASON },
  }),
  'POST /admin/v1/signing-keys/{kid}/retirement': async (api) => ({
    path: `/admin/v1/signing-keys/${await newSigningKey(api)}/retirement`,
    status: 202,
    body: { reason: REASON },
  }),
};
