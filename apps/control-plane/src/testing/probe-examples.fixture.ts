import { randomBytes } from 'node:crypto';
import { PROFILE_EXAMPLES } from './profile-examples.fixture.js';
import type { ControlPlane, TestTenant } from './control-plane.fixture.js';
import { DOCUMENT_EXAMPLES } from './document-examples.fixture.js';
import type { MakeExample } from './example.fixture.js';

const PROBE = { name: 'CANARY probe', tool: 'ping', arguments: { a: 1 }, expect: { text: 'pong' }, every_seconds: 60 };

/** Makes a server with the tool `ping` live; its id and slug, and its release's id. */
async function liveServer(api: ControlPlane, { id: tenantId, key }: TestTenant) {
  const slug = `n-${randomBytes(5).toString('hex')}`;
  const server = await api.send('POST', '/v1/servers', { key, body: { slug, name: 'CANARY server' } });
  const tools = [{ name: 'ping', description: 'Pings.', method: 'GET', url: 'https://api.example.com/ping' }];
  const body = { source: { kind: 'http', tools }, version: '2.0.0' };
  const built = await api.send('POST', `/v1/servers/${slug}/releases`, { key, body });
  if (built.status !== 201) throw new Error(`expected 201: ${built.text}`);
  const release: string = built.body.release.id;
  await api.control.asTenant(tenantId, (tx) =>
    tx.query(`update servers set live_release_id = $2 where slug = $1`, [slug, release]),
  );
  return { slug, id: server.body.id as string, release };
}

async function newProbe(api: ControlPlane, tenant: TestTenant): Promise<string> {
  const { slug } = await liveServer(api, tenant);
  const made = await api.send('POST', `/v1/servers/${slug}/probes`, { key: tenant.key, body: PROBE });
  if (made.status !== 201) throw new Error(`expected 201: ${made.text}`);
  return `/v1/servers/${slug}/probes/${made.body.probe.id}`;
}

/** A good request to every route of probes, of documents, of major versions and of profiles. */
export const PROBE_EXAMPLES: Readonly<Record<string, MakeExample>> = {
  ...DOCUMENT_EXAMPLES,
  ...PROFILE_EXAMPLES,
  'GET /v1/servers/{server}/probes': async (api, tenant) => ({
    path: (await newProbe(api, tenant)).replace(/\/[^/]+$/, ''),
    status: 200,
  }),
  'POST /v1/servers/{server}/probes': async (api, tenant) => ({
    path: `/v1/servers/${(await liveServer(api, tenant)).slug}/probes`,
    status: 201,
    body: PROBE,
  }),
  'POST /v1/servers/{server}/probes/run': async (api, tenant) => ({
    path: (await newProbe(api, tenant)).replace(/[^/]+$/, 'run'),
    status: 202,
    body: {},
  }),
  'GET /v1/servers/{server}/probes/{probe}': async (api, tenant) => ({
    path: await newProbe(api, tenant),
    status: 200,
  }),
  'PATCH /v1/servers/{server}/probes/{probe}': async (api, tenant) => ({
    path: await newProbe(api, tenant),
    status: 200,
    body: { enabled: false, every_seconds: null },
  }),
  'DELETE /v1/servers/{server}/probes/{probe}': async (api, tenant) => ({
    path: await newProbe(api, tenant),
    status: 204,
  }),
  'GET /v1/servers/{server}/probes/{probe}/results': async (api, tenant) => ({
    path: `${await newProbe(api, tenant)}/results`,
    status: 200,
  }),
  'GET /v1/servers/{server}/majors': async (api, tenant) => ({
    path: `/v1/servers/${(await liveServer(api, tenant)).slug}/majors`,
    status: 200,
  }),
  'PUT /v1/servers/{server}/majors/{major}': async (api, tenant) => {
    const { slug, id, release } = await liveServer(api, tenant);
    await api.control.asTenant(tenant.id, (tx) =>
      tx.query(
        `insert into server_majors (tenant_id, server_id, major, release_id, served_until)
         values ($1, $2, 1, $3, now() + interval '1 day')`,
        [tenant.id, id, release],
      ),
    );
    return {
      path: `/v1/servers/${slug}/majors/1`,
      status: 200,
      body: { served_until: new Date(Date.now() + 86_400_000).toISOString() },
    };
  },
};
