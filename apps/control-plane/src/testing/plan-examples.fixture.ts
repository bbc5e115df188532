import { randomBytes } from 'node:crypto';
import type { ControlPlane } from './control-plane.fixture.js';
import type { MakeExample } from './example.fixture.js';

const REASON = 'because a test says so';

/** The path of a plan that nobody has. */
async function newPlan(api: ControlPlane): Promise<string> {
  const path = `/admin/v1/plans/n-${randomBytes(5).toString('hex')}`;
  const limits = { calls_per_minute: 1, concurrent_calls: 1, servers_max: 1, worker_memory_mb: 64 };
  await api.send('PUT', path, { key: api.operatorKey, body: { ...limits, reason: REASON } });
  return path;
}

/** Good requests to the routes of plans and feature flags. */
export const PLAN_EXAMPLES: Readonly<Record<string, MakeExample>> = {
  'GET /admin/v1/plans': () => ({ path: '/admin/v1/plans', status: 200 }),
  'GET /admin/v1/plans/{name}': () => ({ path: '/admin/v1/plans/free', status: 200 }),
  'PATCH /admin/v1/plans/{name}': async (api) => ({
    path: await newPlan(api),
    status: 200,
    body: { servers_max: 2, reason: REASON },
  }),
  'DELETE /admin/v1/plans/{name}': async (api) => ({ path: `${await newPlan(api)}?reason=done`, status: 204 }),
  'PUT /admin/v1/plans/{name}': () => ({
    path: `/admin/v1/plans/n-${randomBytes(5).toString('hex')}`,
    status: 200,
    body: {
      calls_per_minute: 1,
      concurrent_calls: 1,
      servers_max: 1,
      worker_memory_mb: 64,
      audit_retention_days: 400,
      sessions_max: 10,
      client_sessions_max: 5,
      session_idle_seconds: 60,
      reason: 'because a test says so',
    },
  }),
  'GET /admin/v1/feature-flags': () => ({ path: '/admin/v1/feature-flags', status: 200 }),
  'PATCH /admin/v1/feature-flags': () => ({
    path: '/admin/v1/feature-flags',
    status: 200,
    body: { flag: 'sse_transport', percent: 50, reason: 'because a test says so' },
  }),
  'GET /admin/v1/tenants/{tenant}/feature-flags': (_, { slug }) => ({
    path: `/admin/v1/tenants/${slug}/feature-flags`,
    status: 200,
  }),
  'PATCH /admin/v1/tenants/{tenant}/feature-flags': (_, { slug }) => ({
    path: `/admin/v1/tenants/${slug}/feature-flags`,
    status: 200,
    body: { flag: 'sse_transport', state: 'off', reason: 'because a test says so' },
  }),
  'GET /v1/feature-flags': () => ({ path: '/v1/feature-flags', status: 200 }),
  'PATCH /v1/feature-flags': () => ({
    path: '/v1/feature-flags',
    status: 200,
    body: { flag: 'result_cache', state: 'off' },
  }),
};
