import type { ControlPlane, TestTenant } from './control-plane.fixture.js';
import { POLICY_EXAMPLES } from './policy-examples.fixture.js';
import type { MakeExample } from './example.fixture.js';

/** Always the same: a tenant has but a few. */
const path = '/v1/call-limits/canary';
const body = { calls: 5, window_seconds: 60 };

async function written(api: ControlPlane, { key }: TestTenant): Promise<string> {
  const { status, text } = await api.send('PUT', path, { key, body });
  if (status !== 200) throw new Error(text);
  return path;
}

/** Good requests about limits and rules on calls. */
export const CALL_LIMIT_EXAMPLES: Readonly<Record<string, MakeExample>> = {
  ...POLICY_EXAMPLES,
  'GET /v1/call-limits': () => ({ path: '/v1/call-limits', status: 200 }),
  'GET /v1/call-limits/{name}': async (api, tenant) => ({ path: await written(api, tenant), status: 200 }),
  'PUT /v1/call-limits/{name}': () => ({ path, status: 200, body }),
  'DELETE /v1/call-limits/{name}': async (api, tenant) => ({ path: await written(api, tenant), status: 204 }),
};
