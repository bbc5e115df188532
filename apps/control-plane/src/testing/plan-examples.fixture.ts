import { randomBytes } from 'node:crypto';
import type { MakeExample } from './example.fixture.js';

/** Good requests to the routes of plans and feature flags. */
export const PLAN_EXAMPLES: Readonly<Record<string, MakeExample>> = {
  'GET /admin/v1/plans': () => ({ path: '/admin/v1/plans', status: 200 }),
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
