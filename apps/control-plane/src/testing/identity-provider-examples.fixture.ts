import type { ControlPlane, TestTenant } from './control-plane.fixture.js';
import { openIssuer } from './openid-issuer.fixture.js';
import type { MakeExample } from './example.fixture.js';

const PATH = '/v1/identity-providers';

/** A good provider, and room for it: a tenant has few. */
async function identityProvider(api: ControlPlane, tenant: TestTenant) {
  const { key } = tenant;
  const { body: held } = await api.send('GET', PATH, { key });
  for (const { id } of held.identity_providers) await api.send('DELETE', `${PATH}/${id}`, { key });
  const issuer = await openIssuer(api, tenant);
  return { name: 'CANARY provider', issuer, client_id: 'CANARY-client', client_secret: 'SECRET-CANARY' };
}

async function connected(api: ControlPlane, tenant: TestTenant): Promise<string> {
  const answer = await api.send('POST', PATH, { key: tenant.key, body: await identityProvider(api, tenant) });
  if (answer.status !== 201) throw new Error(answer.text);
  return `${PATH}/${answer.body.id}`;
}

/** A good request to every route about identity providers. */
export const IDENTITY_PROVIDER_EXAMPLES: Readonly<Record<string, MakeExample>> = {
  'GET /v1/identity-providers': () => ({ path: PATH, status: 200 }),
  'POST /v1/identity-providers': async (api, tenant) => ({
    path: PATH,
    status: 201,
    body: await identityProvider(api, tenant),
  }),
  'GET /v1/identity-providers/{provider}': async (api, tenant) => ({
    path: await connected(api, tenant),
    status: 200,
  }),
  'PATCH /v1/identity-providers/{provider}': async (api, tenant) => ({
    path: await connected(api, tenant),
    status: 200,
    body: { name: 'CANARY renamed', client_secret: 'SECRET-CANARY' },
  }),
  'DELETE /v1/identity-providers/{provider}': async (api, tenant) => ({
    path: await connected(api, tenant),
    status: 204,
  }),
};
