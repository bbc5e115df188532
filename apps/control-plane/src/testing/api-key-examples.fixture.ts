import type { ControlPlane, TestTenant } from './control-plane.fixture.js';
import type { MakeExample } from './example.fixture.js';

const BODY = { name: 'CANARY key', scopes: ['mcp'] };

async function newKey(api: ControlPlane, { key }: TestTenant): Promise<string> {
  const { body } = await api.send('POST', '/v1/api-keys', { key, body: BODY });
  const id: unknown = body.id;
  if (typeof id !== 'string') throw new Error('no key was created');
  return id;
}

/** Good requests to the routes of API keys. */
export const API_KEY_EXAMPLES: Readonly<Record<string, MakeExample>> = {
  'GET /v1/api-keys': () => ({ path: '/v1/api-keys', status: 200 }),
  'POST /v1/api-keys': () => ({ path: '/v1/api-keys', status: 201, body: BODY }),
  'POST /v1/api-keys/{id}/rotation': async (api, tenant) => ({
    path: `/v1/api-keys/${await newKey(api, tenant)}/rotation`,
    status: 201,
    body: { overlap_seconds: 60 },
  }),
  'DELETE /v1/api-keys/{id}': async (api, tenant) => ({
    path: `/v1/api-keys/${await newKey(api, tenant)}`,
    status: 204,
  }),
};
