import type { ControlPlane } from './control-plane.fixture.js';
import type { MakeExample } from './route-examples.fixture.js';
import { withSession } from './sessions.fixture.js';

const reason = 'because a test says so';
const origin = 'https://api.example.com';

async function runtimePath(api: ControlPlane): Promise<string> {
  const { body } = await api.send('GET', '/admin/v1/runtimes', { key: api.operatorKey });
  return `/admin/v1/runtimes/${body.runtimes[0].mark}`;
}

/** Good requests of operators about what runs. */
export const OPERATION_EXAMPLES: Readonly<Record<string, MakeExample>> = {
  'GET /admin/v1/runtimes': () => ({ path: '/admin/v1/runtimes', status: 200 }),
  'GET /admin/v1/runtimes/{runtime}/workers': async (api) => ({
    path: `${await runtimePath(api)}/workers`,
    status: 200,
  }),
  'POST /admin/v1/runtimes/{runtime}/drain': async (api) => ({
    path: `${await runtimePath(api)}/drain`,
    status: 200,
    body: { even_if_last: true, reason },
  }),
  'POST /admin/v1/runtimes/{runtime}/resume': async (api) => ({
    path: `${await runtimePath(api)}/resume`,
    status: 200,
    body: { reason },
  }),
  'POST /admin/v1/tenants/{tenant}/workers/stop': (_, { slug }) => ({
    path: `/admin/v1/tenants/${slug}/workers/stop`,
    status: 204,
    body: { reason },
  }),
  'GET /admin/v1/tenants/{tenant}/sessions': async (api, tenant) => {
    await withSession(api, tenant);
    return { path: `/admin/v1/tenants/${tenant.slug}/sessions`, status: 200 };
  },
  'DELETE /admin/v1/tenants/{tenant}/sessions/{session}': async (api, tenant) => ({
    path: `/admin/v1/tenants/${tenant.slug}/sessions/${await withSession(api, tenant)}?reason=done`,
    status: 204,
  }),
  'GET /admin/v1/tenants/{tenant}/breakers': (_, { slug }) => ({
    path: `/admin/v1/tenants/${slug}/breakers`,
    status: 200,
  }),
  'POST /admin/v1/tenants/{tenant}/breakers/open': (_, { slug }) => ({
    path: `/admin/v1/tenants/${slug}/breakers/open`,
    status: 200,
    body: { origin, minutes: 1, reason },
  }),
  'POST /admin/v1/tenants/{tenant}/breakers/reset': (_, { slug }) => ({
    path: `/admin/v1/tenants/${slug}/breakers/reset`,
    status: 200,
    body: { origin, reason },
  }),
};
