import { newId } from '#libs/database';
import type { ControlPlane, TestTenant } from './control-plane.fixture.js';
import type { MakeExample } from './route-examples.fixture.js';

const REASON = 'because a test says so';

/** A deletion that can be taken back, of a tenant that goes on working. */
async function noteDeletion(api: ControlPlane, { id, slug }: TestTenant): Promise<void> {
  await api.control.asTenant(id, (tx) =>
    tx.query(
      `insert into tenant_deletions (tenant_id, id, slug, reason, requested_by, due_at, status_before)
       select $1, $2, $3, $4, '{}', now() + interval '7 days', 'active'
       where not exists (select from tenant_deletions where tenant_id = $1 and state = 'waiting')`,
      [id, newId(), slug, REASON],
    ),
  );
}

async function newLeaving(api: ControlPlane): Promise<TestTenant> {
  const tenant = await api.newTenant();
  const body = { confirm: tenant.slug, reason: REASON };
  await api.send('POST', `/admin/v1/tenants/${tenant.slug}/deletion`, { key: api.operatorKey, body });
  return tenant;
}

/** Good requests about the life of the tenant itself. */
export const LIFE_CYCLE_EXAMPLES: Readonly<Record<string, MakeExample>> = {
  'GET /v1/tenant': () => ({ path: '/v1/tenant', status: 200 }),
  'PATCH /v1/tenant': () => ({ path: '/v1/tenant', status: 200, body: { allowed_origins: [] } }),
  'GET /v1/tenant/deletion': () => ({ path: '/v1/tenant/deletion', status: 200 }),
  'POST /v1/tenant/restore': async (api, tenant) => {
    await noteDeletion(api, tenant);
    return { path: '/v1/tenant/restore', status: 200 };
  },
  'DELETE /v1/tenant': async (api, { id, slug }) => {
    await api.control.asTenant(id, (tx) => tx.query(`update tenant_deletions set state = 'cancelled'`));
    return { path: `/v1/tenant?confirm=${slug}&reason=done`, status: 202 };
  },
};

/** Good requests of operators about the lives of tenants. */
export const OPERATED_LIFE_CYCLE_EXAMPLES: Readonly<Record<string, MakeExample>> = {
  'GET /admin/v1/tenants': () => ({ path: '/admin/v1/tenants', status: 200 }),
  'GET /admin/v1/tenants/{tenant}': (_, { slug }) => ({ path: `/admin/v1/tenants/${slug}`, status: 200 }),
  'GET /admin/v1/tenant-deletions': () => ({ path: '/admin/v1/tenant-deletions', status: 200 }),
  'POST /admin/v1/tenants/{tenant}/deletion': async (api) => {
    const { slug } = await api.newTenant();
    const body = { confirm: slug, reason: REASON, grace_days: 1 };
    return { path: `/admin/v1/tenants/${slug}/deletion`, status: 202, body };
  },
  'POST /admin/v1/tenants/{tenant}/restore': async (api) => ({
    path: `/admin/v1/tenants/${(await newLeaving(api)).slug}/restore`,
    status: 200,
    body: { reason: REASON },
  }),
  'PUT /admin/v1/tenants/{tenant}/legal-hold': async (api) => ({
    path: `/admin/v1/tenants/${(await api.newTenant()).slug}/legal-hold`,
    status: 204,
    body: { reason: REASON },
  }),
  'DELETE /admin/v1/tenants/{tenant}/legal-hold': async (api) => ({
    path: `/admin/v1/tenants/${(await api.newTenant()).slug}/legal-hold?reason=done`,
    status: 204,
  }),
  'PUT /admin/v1/tenants/{tenant}/home-region': async (api) => ({
    path: `/admin/v1/tenants/${(await api.newTenant()).slug}/home-region`,
    status: 204,
    body: { region: null, reason: REASON },
  }),
};
