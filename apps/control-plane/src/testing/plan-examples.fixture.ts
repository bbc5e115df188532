import { randomBytes } from 'node:crypto';
import type { MakeExample } from './route-examples.fixture.js';

/** Good requests to the routes of plans. */
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
};
