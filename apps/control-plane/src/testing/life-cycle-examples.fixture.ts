import { newId } from '#libs/database';
import { Client } from 'pg';
import type { ControlPlane, TestTenant } from './control-plane.fixture.js';
import type { MakeExample } from './example.fixture.js';

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

/** The slug of a tenant whose plan lets it have a database of its own. */
async function newDedicated(api: ControlPlane): Promise<string> {
  const { slug } = await api.newTenant();
  const key = api.operatorKey;
  const limits = { calls_per_minute: 600, concurrent_calls: 8, servers_max: 3, worker_memory_mb: 256 };
  const body = { ...limits, isolation_tier: 'dedicated', reason: REASON };
  await api.send('PUT', '/admin/v1/plans/apart', { key, body });
  await api.send('PUT', `/admin/v1/tenants/${slug}/plan`, { key, body: { plan: 'apart', reason: REASON } });
  return slug;
}

async function newLeaving(api: ControlPlane): Promise<TestTenant> {
  const tenant = await api.newTenant();
  const body = { confirm: tenant.slug, reason: REASON };
  await api.send('POST', `/admin/v1/tenants/${tenant.slug}/deletion`, { key: api.operatorKey, body });
  return tenant;
}

/** An export that is ready, and none that is being made. */
export async function newExport(api: ControlPlane, { id }: Pick<TestTenant, 'id'>): Promise<string> {
  const owner = new Client({ connectionString: api.databaseUrl });
  await owner.connect();
  const exportId = newId();
  await owner.query(`update tenant_exports set state = 'failed' where tenant_id = $1 and state = 'waiting'`, [id]);
  await owner.query(
    `insert into tenant_exports (tenant_id, id, secrets, requested_by, state, bytes, digest)
     values ($1, $2, 'left_out', '{}', 'ready', 1, 'sha256:x')`,
    [id, exportId],
  );
  await owner.query(
    `insert into tenant_export_parts (tenant_id, export_id, number, digest, bytes, content) values ($1, $2, 0, 'sha256:x', 1, 'x')`,
    [id, exportId],
  );
  await owner.end();
  return exportId;
}

async function newImportedFile(api: ControlPlane, { id }: TestTenant): Promise<string> {
  const owner = new Client({ connectionString: api.databaseUrl });
  await owner.connect();
  await owner.query(
    `insert into imported_audit_files (tenant_id, path, number, content) values ($1, 'audit/x/key.txt', 0, 'key')
     on conflict (tenant_id, path, number) do nothing`,
    [id],
  );
  await owner.end();
  return 'audit/x/key.txt';
}

/** Good requests about the life of the tenant itself. */
export const LIFE_CYCLE_EXAMPLES: Readonly<Record<string, MakeExample>> = {
  'GET /v1/me': () => ({ path: '/v1/me', status: 200 }),
  'GET /v1/tenant': () => ({ path: '/v1/tenant', status: 200 }),
  'PATCH /v1/tenant': () => ({ path: '/v1/tenant', status: 200, body: { allowed_origins: [] } }),
  'GET /v1/tenant/deletion': () => ({ path: '/v1/tenant/deletion', status: 200 }),
  'POST /v1/tenant/restore': async (api, tenant) => {
    await noteDeletion(api, tenant);
    return { path: '/v1/tenant/restore', status: 200 };
  },
  'POST /v1/tenant/exports': async (api, tenant) => {
    await newExport(api, tenant);
    const secrets = { kind: 'public_key', public_key: Buffer.alloc(32, 9).toString('base64url') };
    return { path: '/v1/tenant/exports', status: 202, body: { secrets } };
  },
  'GET /v1/tenant/exports': () => ({ path: '/v1/tenant/exports', status: 200 }),
  'GET /v1/tenant/exports/{export}': async (api, tenant) => ({
    path: `/v1/tenant/exports/${await newExport(api, tenant)}`,
    status: 200,
  }),
  'GET /v1/tenant/exports/{export}/content': async (api, tenant) => ({
    path: `/v1/tenant/exports/${await newExport(api, tenant)}/content`,
    status: 200,
  }),
  'GET /v1/audit/imported': () => ({ path: '/v1/audit/imported', status: 200 }),
  'GET /v1/audit/imported/content': async (api, tenant) => ({
    path: `/v1/audit/imported/content?path=${await newImportedFile(api, tenant)}`,
    status: 200,
  }),
  'DELETE /v1/tenant': async (api, { id, slug }) => {
    await api.control.asTenant(id, (tx) => tx.query(`update tenant_deletions set state = 'cancelled'`));
    return { path: `/v1/tenant?confirm=${slug}&reason=done`, status: 202 };
  },
};

/** A tenant whose only owner came back from another database without an address. */
async function newOwnerless(api: ControlPlane): Promise<string> {
  const { slug, ownerId } = await api.newTenant();
  const owner = new Client({ connectionString: api.databaseUrl });
  await owner.connect();
  await owner.query(`update accounts set email = id || '@lost.invalid' where id = $1`, [ownerId]);
  await owner.end();
  return slug;
}

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
  'GET /admin/v1/tenants/{tenant}/owners': (_, { slug }) => ({ path: `/admin/v1/tenants/${slug}/owners`, status: 200 }),
  'POST /admin/v1/tenants/{tenant}/owners': async (api) => ({
    path: `/admin/v1/tenants/${await newOwnerless(api)}/owners`,
    status: 201,
    body: { email: 'next@example.com', reason: REASON },
  }),
  'POST /admin/v1/tenants/{tenant}/exports': async (api) => ({
    path: `/admin/v1/tenants/${(await api.newTenant()).slug}/exports`,
    status: 202,
    body: { secrets: { kind: 'left_out' }, reason: REASON },
  }),
  'GET /admin/v1/tenants/{tenant}/exports': (_, { slug }) => ({
    path: `/admin/v1/tenants/${slug}/exports`,
    status: 200,
  }),
  'GET /admin/v1/tenants/{tenant}/exports/{export}/content': async (api, tenant) => ({
    path: `/admin/v1/tenants/${tenant.slug}/exports/${await newExport(api, tenant)}/content?reason=moved`,
    status: 200,
  }),
  'GET /admin/v1/tenants/{tenant}/legal-holds': (_, { slug }) => ({
    path: `/admin/v1/tenants/${slug}/legal-holds`,
    status: 200,
  }),
  'POST /admin/v1/tenants/{tenant}/legal-holds': async (api) => ({
    path: `/admin/v1/tenants/${(await api.newTenant()).slug}/legal-holds`,
    status: 201,
    body: { reason: REASON },
  }),
  'DELETE /admin/v1/tenants/{tenant}/legal-holds/{hold}': async (api) => {
    const path = `/admin/v1/tenants/${(await api.newTenant()).slug}/legal-holds`;
    const { body } = await api.send('POST', path, { key: api.operatorKey, body: { reason: REASON } });
    return { path: `${path}/${body.id}?reason=done`, status: 204 };
  },
  'GET /admin/v1/tenants/{tenant}/home': (_, { slug }) => ({ path: `/admin/v1/tenants/${slug}/home`, status: 200 }),
  'PUT /admin/v1/tenants/{tenant}/home': async (api) => ({
    path: `/admin/v1/tenants/${await newDedicated(api)}/home`,
    status: 202,
    body: { database: 'own', reason: REASON },
  }),
  'PUT /admin/v1/tenants/{tenant}/home-region': async (api) => ({
    path: `/admin/v1/tenants/${(await api.newTenant()).slug}/home-region`,
    status: 204,
    body: { region: null, reason: REASON },
  }),
};
