import { randomBytes } from 'node:crypto';
import type { ControlPlane, TestTenant } from './control-plane.fixture.js';
import type { MakeExample } from './example.fixture.js';

type NewServer = (api: ControlPlane, tenant: TestTenant) => Promise<string>;
type NewRelease = (api: ControlPlane, tenant: TestTenant, server: string) => Promise<string>;

/** Puts a release live and verified on a server as publishing would, without the background service. */
export async function withVerifiedRelease(
  api: ControlPlane,
  { id: tenantId }: Pick<TestTenant, 'id'>,
  { server, release }: { readonly server: string; readonly release: string },
): Promise<void> {
  await api.control.asTenant(tenantId, async (tx) => {
    await tx.query(
      `update releases set state = 'live', published_at = now(),
         verification = '{"checked_at": "2026-01-01T00:00:00Z", "notes": []}' where id = $1`,
      [release],
    );
    await tx.query(`update servers set live_release_id = $2 where slug = $1`, [server, release]);
  });
}

/** Good requests to the routes of environments and of promotions between them. */
export function environmentExamples(
  newServer: NewServer,
  newRelease: NewRelease,
): Readonly<Record<string, MakeExample>> {
  const withStaging = async (api: ControlPlane, tenant: TestTenant): Promise<string> => {
    const server = await newServer(api, tenant);
    const path = `/v1/servers/${server}/environments`;
    const { status, text } = await api.send('POST', path, { key: tenant.key, body: { environment: 'staging' } });
    if (status !== 201) throw new Error(text);
    return server;
  };
  return {
    'GET /v1/servers/{server}/environments': async (api, tenant) => ({
      path: `/v1/servers/${await withStaging(api, tenant)}/environments`,
      status: 200,
    }),
    'POST /v1/servers/{server}/environments': async (api, tenant) => ({
      path: `/v1/servers/${await newServer(api, tenant)}/environments`,
      status: 201,
      body: { environment: `e-${randomBytes(3).toString('hex')}` },
    }),
    'GET /v1/servers/{server}/environments/{environment}': async (api, tenant) => ({
      path: `/v1/servers/${await withStaging(api, tenant)}/environments/staging`,
      status: 200,
    }),
    'PATCH /v1/servers/{server}/environments/{environment}': async (api, tenant) => ({
      path: `/v1/servers/${await withStaging(api, tenant)}/environments/staging`,
      status: 200,
      body: { policy: { calls_per_minute: 10, audit_mode: 'process', egress_hosts: ['api.example.com'] } },
    }),
    'POST /v1/servers/{server}/promotions': async (api, tenant) => {
      const server = await withStaging(api, tenant);
      const staging = `${server}~staging`;
      const release = await newRelease(api, tenant, staging);
      await withVerifiedRelease(api, tenant, { server: staging, release });
      return { path: `/v1/servers/${server}/promotions`, status: 201, body: { from: 'staging', release } };
    },
  };
}
