import type { ControlPlane, TestTenant } from './control-plane.fixture.js';
import type { MakeExample } from './example.fixture.js';

async function newClient(api: ControlPlane, { key }: TestTenant): Promise<string> {
  const sent = { key, body: { kind: 'machine', name: 'CANARY agent' } };
  const { status, text, body } = await api.send('POST', '/v1/clients', sent);
  if (status !== 201) throw new Error(`expected 201: ${text}`);
  return body.client.client_id;
}

/** A good request to every route of OAuth clients. */
export const CLIENT_EXAMPLES: Readonly<Record<string, MakeExample>> = {
  'GET /v1/clients': () => ({ path: '/v1/clients', status: 200 }),
  'POST /v1/clients': () => ({
    path: '/v1/clients',
    status: 201,
    body: { kind: 'machine', name: 'CANARY agent', scopes: ['mcp'] },
  }),
  'GET /v1/clients/{client}': async (api, tenant) => ({
    path: `/v1/clients/${await newClient(api, tenant)}`,
    status: 200,
  }),
  'PATCH /v1/clients/{client}': async (api, tenant) => ({
    path: `/v1/clients/${await newClient(api, tenant)}`,
    status: 200,
    body: { name: 'CANARY renamed', enabled: false },
  }),
  'POST /v1/clients/{client}/secret': async (api, tenant) => ({
    path: `/v1/clients/${await newClient(api, tenant)}/secret`,
    status: 200,
    body: { overlap_seconds: 60 },
  }),
  'DELETE /v1/clients/{client}': async (api, tenant) => ({
    path: `/v1/clients/${await newClient(api, tenant)}`,
    status: 204,
  }),
};
