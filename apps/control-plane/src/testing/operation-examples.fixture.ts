import type { ControlPlane } from './control-plane.fixture.js';
import { givenUpJob } from './given-up-jobs.fixture.js';
import type { MakeExample } from './example.fixture.js';
import { serverCalling } from './live-release.fixture.js';
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
  'POST /admin/v1/runtimes/{runtime}/kill': async (api) => ({
    path: `${await runtimePath(api)}/kill`,
    status: 200,
    body: { afterwards: 'serve', reason },
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
  'GET /admin/v1/queues': () => ({ path: '/admin/v1/queues', status: 200 }),
  'POST /admin/v1/queues/{queue}/pause': () => ({
    path: '/admin/v1/queues/drift/pause',
    status: 204,
    body: { reason },
  }),
  'POST /admin/v1/queues/{queue}/resume': () => ({
    path: '/admin/v1/queues/drift/resume',
    status: 204,
    body: { reason },
  }),
  'GET /admin/v1/jobs': async (api, tenant) => {
    await givenUpJob(api, tenant);
    return { path: '/admin/v1/jobs?queue=tenants', status: 200 };
  },
  'POST /admin/v1/jobs/{id}/retry': async (api, tenant) => ({
    path: `/admin/v1/jobs/${await givenUpJob(api, tenant)}/retry`,
    status: 202,
    body: { reason },
  }),
  'POST /admin/v1/jobs/retry': () => ({
    path: '/admin/v1/jobs/retry',
    status: 202,
    body: { queue: 'probes', reason },
  }),
  'POST /admin/v1/mails/retry': () => ({ path: '/admin/v1/mails/retry', status: 202, body: { reason } }),
  'GET /admin/v1/maintenance': () => ({ path: '/admin/v1/maintenance', status: 200 }),
  'PUT /admin/v1/maintenance': () => ({
    path: '/admin/v1/maintenance',
    status: 200,
    body: { mode: 'management', message: 'New disks.', minutes: 1, reason },
  }),
  'DELETE /admin/v1/maintenance': () => ({ path: '/admin/v1/maintenance?reason=done', status: 204 }),
  'GET /admin/v1/announcements': () => ({ path: '/admin/v1/announcements', status: 200 }),
  'POST /admin/v1/announcements': () => ({
    path: '/admin/v1/announcements',
    status: 201,
    body: { severity: 'info', text: 'Soon.', ends_at: '2999-01-01T00:00:00Z', reason },
  }),
  'DELETE /admin/v1/announcements/{id}': async (api) => {
    const body = { severity: 'info', text: 'Soon.', ends_at: '2999-01-01T00:00:00Z', reason };
    const made = await api.send('POST', '/admin/v1/announcements', { key: api.operatorKey, body });
    return { path: `/admin/v1/announcements/${made.body.announcement.id}?reason=done`, status: 204 };
  },
  'GET /v1/announcements': () => ({ path: '/v1/announcements', status: 200 }),
  'GET /admin/v1/tenants/{tenant}/breakers': (_, { slug }) => ({
    path: `/admin/v1/tenants/${slug}/breakers`,
    status: 200,
  }),
  'POST /admin/v1/tenants/{tenant}/breakers/open': async (api, tenant) => {
    await serverCalling(api, tenant, 'broken', [origin]);
    return {
      path: `/admin/v1/tenants/${tenant.slug}/breakers/open`,
      status: 200,
      body: { origin, minutes: 1, reason },
    };
  },
  'POST /admin/v1/tenants/{tenant}/breakers/reset': async (api, tenant) => {
    await serverCalling(api, tenant, 'broken', [origin]);
    return {
      path: `/admin/v1/tenants/${tenant.slug}/breakers/reset`,
      status: 200,
      body: { origin, reason },
    };
  },
};
