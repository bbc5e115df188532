import { newId } from '#libs/database';
import type { ControlPlane, TestTenant } from './control-plane.fixture.js';
import type { MakeExample } from './example.fixture.js';

type NewServer = (api: ControlPlane, tenant: TestTenant) => Promise<string>;
type NewRelease = (api: ControlPlane, tenant: TestTenant, server: string) => Promise<string>;

/** A candidate as the background service would have found it; returns its id. */
export async function findCandidate(
  api: ControlPlane,
  { id: tenantId }: TestTenant,
  found: { readonly server: string; readonly release: string; readonly state?: string },
): Promise<string> {
  const id = newId();
  const nothing = { added: [], removed: [], changed: [] };
  const summary = { tools: { ...nothing, changed: ['get'] }, prompts: nothing, instructions: null };
  await api.control.asTenant(tenantId, async (tx) => {
    await tx.query(
      `insert into drift_candidates (tenant_id, id, server_id, base_release_id, release_id, fingerprint, state, effect, summary)
       select tenant_id, $1, id, live_release_id, $3, $6, $4, 'compatible', $5 from servers where slug = $2`,
      [id, found.server, found.release, found.state ?? 'pending', JSON.stringify(summary), id],
    );
    await tx.query(
      `insert into drift_watches (tenant_id, server_id) select tenant_id, id from servers where slug = $1
       on conflict (tenant_id, server_id) do nothing`,
      [found.server],
    );
  });
  return id;
}

/** Good requests to the routes of drift, at servers that have live releases already. */
export function driftExamples(
  withLiveReleases: NewServer,
  newRelease: NewRelease,
): Readonly<Record<string, MakeExample>> {
  const at =
    (rest: (candidate: string) => string, request: { readonly status: number; readonly body?: object }): MakeExample =>
    async (api, tenant) => {
      const server = await withLiveReleases(api, tenant);
      const candidate = await findCandidate(api, tenant, { server, release: await newRelease(api, tenant, server) });
      return { path: `/v1/servers/${server}/drift${rest(candidate)}`, ...request };
    };
  return {
    'GET /v1/servers/{server}/drift': at(() => '', { status: 200 }),
    'PUT /v1/servers/{server}/drift': at(() => '', { status: 200, body: { policy: 'auto' } }),
    'POST /v1/servers/{server}/drift/check': at(() => '/check', { status: 202 }),
    'GET /v1/servers/{server}/drift/candidates': at(() => '/candidates', { status: 200 }),
    'GET /v1/servers/{server}/drift/candidates/{candidate}': at((id) => `/candidates/${id}`, { status: 200 }),
    'POST /v1/servers/{server}/drift/candidates/{candidate}/approve': at((id) => `/candidates/${id}/approve`, {
      status: 201,
      body: { strategy: 'canary' },
    }),
    'POST /v1/servers/{server}/drift/candidates/{candidate}/refuse': at((id) => `/candidates/${id}/refuse`, {
      status: 200,
      body: { reason: 'We did not ask for it.' },
    }),
  };
}
