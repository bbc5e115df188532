import type { ControlPlane, TestTenant } from './control-plane.fixture.js';
import type { MakeExample } from './example.fixture.js';

/** Always the same: a tenant has but a few. */
const path = '/v1/connectors/canary';
const own = '/v1/me/connections';
const body = {
  title: 'CANARY upstream',
  endpoints: { authorization: 'https://upstream.test/authorize', token: 'https://upstream.test/token' },
  client: { id: 'CANARY-client' },
  origins: ['https://api.upstream.test'],
};

async function written(api: ControlPlane, { key }: TestTenant): Promise<string> {
  const { status, text } = await api.send('PUT', path, { key, body });
  if (status !== 200) throw new Error(text);
  return path;
}

/** Good requests about where people log in at upstreams. */
export const CONNECTOR_EXAMPLES: Readonly<Record<string, MakeExample>> = {
  'GET /v1/connectors': () => ({ path: '/v1/connectors', status: 200 }),
  'PUT /v1/connectors/{connector}': () => ({ path, status: 200, body }),
  'GET /v1/connectors/{connector}': async (api, tenant) => ({ path: await written(api, tenant), status: 200 }),
  'DELETE /v1/connectors/{connector}': async (api, tenant) => ({ path: await written(api, tenant), status: 204 }),
  'GET /v1/connectors/{connector}/connections': async (api, tenant) => ({
    path: `${await written(api, tenant)}/connections`,
    status: 200,
  }),
  'GET /v1/me/connections': () => ({ path: own, status: 200 }),
  'POST /v1/me/connections': async (api, tenant) => {
    await written(api, tenant);
    return { path: own, status: 200, body: { connector: 'canary' } };
  },
  'DELETE /v1/me/connections/{connector}': async (api, tenant) => {
    await written(api, tenant);
    return { path: `${own}/canary`, status: 204 };
  },
};
