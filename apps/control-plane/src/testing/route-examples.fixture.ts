import { USAGE_EXAMPLES } from './usage-examples.fixture.js';
import { CALL_LIMIT_EXAMPLES } from './call-limit-examples.fixture.js';
import { CONNECTOR_EXAMPLES } from './connector-examples.fixture.js';
import { randomBytes } from 'node:crypto';
import { withKnownPerson, withLoggedRecord } from './audit-log.fixture.js';
import { ACTION_EXAMPLES } from './action-examples.fixture.js';
import { API_KEY_EXAMPLES } from './api-key-examples.fixture.js';
import { CLIENT_EXAMPLES } from './client-examples.fixture.js';
import { IMPORT_EXAMPLES } from './import-examples.fixture.js';
import { LIFE_CYCLE_EXAMPLES, OPERATED_LIFE_CYCLE_EXAMPLES } from './life-cycle-examples.fixture.js';
import { PLAN_EXAMPLES } from './plan-examples.fixture.js';
import { SECRET_EXAMPLES } from './secret-examples.fixture.js';
import { SIGNING_KEY_EXAMPLES } from './signing-keys.fixture.js';
import { IDENTITY_PROVIDER_EXAMPLES } from './identity-provider-examples.fixture.js';
import { ACCEPTANCE_EXAMPLES, MEMBER_EXAMPLES } from './member-examples.fixture.js';
import { WEBHOOK_EXAMPLES } from './webhook-examples.fixture.js';
import { PROBE_EXAMPLES } from './probe-examples.fixture.js';
import { environmentExamples } from './environment-examples.fixture.js';
import { EGRESS_EXAMPLES } from './egress-examples.fixture.js';
import { publicRegistryExamples, registryExamples } from './registry-examples.fixture.js';
import { releasesLike } from './releases-like.fixture.js';
import { rolloutExamples } from './rollout-examples.fixture.js';
import type { ControlPlane, TestTenant } from './control-plane.fixture.js';
import type { MakeExample } from './example.fixture.js';

const REASON = 'because a test says so';
const name = (): string => `n-${randomBytes(5).toString('hex')}`;

/** A declarative source with one tool. */
export const TOOL_SOURCE = {
  kind: 'http',
  tools: [{ name: 'ping', description: 'Pings.', method: 'GET', url: 'https://api.example.com/ping' }],
};

async function made(answer: Promise<{ status: number; text: string; body: unknown }>, status: number): Promise<never> {
  const { status: got, text, body } = await answer;
  if (got !== status) throw new Error(`expected ${status}: ${text}`);
  return body as never; // read freely by the examples below
}

async function newServer(api: ControlPlane, { key }: TestTenant): Promise<string> {
  const slug = name();
  await made(api.send('POST', '/v1/servers', { key, body: { slug, name: 'CANARY server' } }), 201);
  return slug;
}

async function builtRelease(api: ControlPlane, tenant: TestTenant): Promise<string> {
  const server = await newServer(api, tenant);
  const sent = { key: tenant.key, body: { source: TOOL_SOURCE } };
  const body: { release: { id: string } } = await made(api.send('POST', `/v1/servers/${server}/releases`, sent), 201);
  return body.release.id;
}

/** Another server's release like one that was built: builds run in processes of their own, and this needs a hundred. */
const newRelease = releasesLike(builtRelease);

/** Puts releases on a server as publishing would, without the background service. */
async function withLiveReleases(api: ControlPlane, tenant: TestTenant): Promise<string> {
  const server = await newServer(api, tenant);
  const [previous, live] = [await newRelease(api, tenant, server), await newRelease(api, tenant, server)];
  await api.control.asTenant(tenant.id, (tx) =>
    tx.query(`update servers set live_release_id = $2, previous_release_id = $3 where slug = $1`, [
      server,
      live,
      previous,
    ]),
  );
  return server;
}

const TENANT_EXAMPLES: Readonly<Record<string, MakeExample>> = {
  ...LIFE_CYCLE_EXAMPLES,
  ...registryExamples(withLiveReleases),
  ...MEMBER_EXAMPLES,
  ...IDENTITY_PROVIDER_EXAMPLES,
  ...API_KEY_EXAMPLES,
  ...CLIENT_EXAMPLES,
  ...WEBHOOK_EXAMPLES,
  'GET /v1/metrics/summary': () => ({ path: '/v1/metrics/summary', status: 200 }),
  ...USAGE_EXAMPLES,
  ...PROBE_EXAMPLES,
  'GET /v1/servers': () => ({ path: '/v1/servers', status: 200 }),
  'POST /v1/servers': () => ({ path: '/v1/servers', status: 201, body: { slug: name(), name: 'CANARY server' } }),
  'GET /v1/servers/{server}': async (api, tenant) => ({
    path: `/v1/servers/${await newServer(api, tenant)}`,
    status: 200,
  }),
  'PATCH /v1/servers/{server}': async (api, tenant) => ({
    path: `/v1/servers/${await newServer(api, tenant)}`,
    status: 200,
    body: { stale_answers: { enabled: true, max_age_seconds: 60 } },
  }),
  'GET /v1/servers/{server}/upstreams': async (api, tenant) => ({
    path: `/v1/servers/${await withLiveReleases(api, tenant)}/upstreams`,
    status: 200,
  }),
  'GET /v1/servers/{server}/connect-attempts': async (api, tenant) => ({
    path: `/v1/servers/${await newServer(api, tenant)}/connect-attempts`,
    status: 200,
  }),
  'GET /v1/servers/{server}/connect-attempts/report': async (api, tenant) => ({
    path: `/v1/servers/${await newServer(api, tenant)}/connect-attempts/report`,
    status: 200,
  }),
  'DELETE /v1/servers/{server}': async (api, tenant) => ({
    path: `/v1/servers/${await withLiveReleases(api, tenant)}`,
    status: 204,
  }),
  'GET /v1/servers/{server}/releases': async (api, tenant) => {
    const server = await newServer(api, tenant);
    await newRelease(api, tenant, server);
    return { path: `/v1/servers/${server}/releases`, status: 200 };
  },
  'POST /v1/servers/{server}/releases': async (api, tenant) => ({
    path: `/v1/servers/${await newServer(api, tenant)}/releases`,
    status: 201,
    body: { source: TOOL_SOURCE, publish: true },
  }),
  'GET /v1/servers/{server}/releases/{release}': async (api, tenant) => {
    const server = await newServer(api, tenant);
    return { path: `/v1/servers/${server}/releases/${await newRelease(api, tenant, server)}`, status: 200 };
  },
  'GET /v1/servers/{server}/releases/{release}/diff': async (api, tenant) => {
    const server = await newServer(api, tenant);
    const [from, to] = [await newRelease(api, tenant, server), await newRelease(api, tenant, server)];
    return { path: `/v1/servers/${server}/releases/${to}/diff?from=${from}`, status: 200 };
  },
  'POST /v1/servers/{server}/releases/{release}/publish': async (api, tenant) => {
    const server = await newServer(api, tenant);
    return { path: `/v1/servers/${server}/releases/${await newRelease(api, tenant, server)}/publish`, status: 202 };
  },
  'POST /v1/servers/{server}/rollback': async (api, tenant) => ({
    path: `/v1/servers/${await withLiveReleases(api, tenant)}/rollback`,
    status: 200,
  }),
  ...rolloutExamples(withLiveReleases, newRelease),
  ...environmentExamples(newServer, newRelease),
  ...SECRET_EXAMPLES,
  ...CALL_LIMIT_EXAMPLES,
  ...CONNECTOR_EXAMPLES,
  'POST /v1/artefacts': () => ({
    path: '/v1/artefacts',
    status: 201,
    headers: { 'content-type': 'application/json' },
    body: '{"CANARY":true}',
  }),
  'GET /v1/artefacts': () => ({ path: '/v1/artefacts', status: 200 }),
  'DELETE /v1/artefacts/{digest}': async (api, { key }) => {
    const sent = { key, headers: { 'content-type': 'application/json' }, body: `{"CANARY":"${name()}"}` };
    const { digest }: { digest: string } = await made(api.send('POST', '/v1/artefacts', sent), 201);
    return { path: `/v1/artefacts/${digest}`, status: 204 };
  },
  'GET /v1/audit/events': () => ({ path: '/v1/audit/events', status: 200 }),
  'GET /v1/audit': () => ({ path: '/v1/audit', status: 200 }),
  'GET /v1/audit/export': async (api, tenant) => {
    await withLoggedRecord(api, tenant);
    return { path: '/v1/audit/export', status: 200 };
  },
  'GET /v1/audit/archives': async (api, tenant) => {
    await withLoggedRecord(api, tenant);
    return { path: '/v1/audit/archives', status: 200 };
  },
  'GET /v1/audit/archives/{first_leaf}': async (api, tenant) => {
    await withLoggedRecord(api, tenant);
    return { path: '/v1/audit/archives/77', status: 200 };
  },
  'GET /v1/audit/checkpoints': async (api, tenant) => {
    await withLoggedRecord(api, tenant);
    return { path: '/v1/audit/checkpoints', status: 200 };
  },
  'GET /v1/audit/keys': () => ({ path: '/v1/audit/keys', status: 200 }),
  'GET /v1/audit/consistency': async (api, tenant) => {
    await withLoggedRecord(api, tenant);
    return { path: '/v1/audit/consistency?from=1&to=1', status: 200 };
  },
  'GET /v1/audit/records/{id}/proof': async (api, tenant) => ({
    path: `/v1/audit/records/${await withLoggedRecord(api, tenant)}/proof`,
    status: 200,
  }),
  'DELETE /v1/audit/people/{person}': async (api, tenant) => ({
    path: `/v1/audit/people/${await withKnownPerson(api, tenant)}`,
    status: 204,
  }),
};

const OPERATOR_EXAMPLES: Readonly<Record<string, MakeExample>> = {
  'POST /admin/v1/tenants/{tenant}/suspend': async (api) => {
    const { slug } = await api.newTenant();
    return { path: `/admin/v1/tenants/${slug}/suspend`, status: 200, body: { reason: REASON } };
  },
  'POST /admin/v1/tenants/{tenant}/resume': (_, { slug }) => ({
    path: `/admin/v1/tenants/${slug}/resume`,
    status: 200,
    body: { reason: REASON },
  }),
  ...OPERATED_LIFE_CYCLE_EXAMPLES,
  ...IMPORT_EXAMPLES,
  'PUT /admin/v1/tenants/{tenant}/plan': (_, { slug }) => ({
    path: `/admin/v1/tenants/${slug}/plan`,
    status: 200,
    body: { plan: 'free', reason: REASON },
  }),
  ...EGRESS_EXAMPLES,
  ...PLAN_EXAMPLES,
  ...SIGNING_KEY_EXAMPLES,
  ...ACTION_EXAMPLES,
};

/** Those to routes that anybody may call. */
export const PUBLIC_EXAMPLES: Readonly<Record<string, MakeExample>> = {
  ...ACCEPTANCE_EXAMPLES,
  ...publicRegistryExamples(withLiveReleases),
  'POST /v1/signup': () => {
    const slug = name();
    const body = { tenant_name: 'T', slug, email: `${slug}@example.com`, password: 'correct horse battery' };
    return { path: '/v1/signup', status: 201, body };
  },
  'GET /v1/openapi.json': () => ({ path: '/v1/openapi.json', status: 200 }),
  'GET /v1/docs': () => ({ path: '/v1/docs', status: 200 }),
  'GET /v1/docs/errors': () => ({ path: '/v1/docs/errors', status: 200 }),
};

/** A good request to every route of the API, by method and pattern; a route without one fails the tests. */
export const ROUTE_EXAMPLES = { ...TENANT_EXAMPLES, ...OPERATOR_EXAMPLES, ...PUBLIC_EXAMPLES };
