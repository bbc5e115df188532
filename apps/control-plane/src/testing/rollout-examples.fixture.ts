import type { ControlPlane, TestTenant } from './control-plane.fixture.js';
import { driftExamples } from './drift-examples.fixture.js';
import type { MakeExample } from './example.fixture.js';

type NewServer = (api: ControlPlane, tenant: TestTenant) => Promise<string>;
type NewRelease = (api: ControlPlane, tenant: TestTenant, server: string) => Promise<string>;

/** Good requests to the routes of rollouts and of what leads to them, at servers that have live releases already. */
export function rolloutExamples(
  withLiveReleases: NewServer,
  newRelease: NewRelease,
): Readonly<Record<string, MakeExample>> {
  const newServer = async (api: ControlPlane, tenant: TestTenant): Promise<{ server: string; release: string }> => {
    const server = await withLiveReleases(api, tenant);
    return { server, release: await newRelease(api, tenant, server) };
  };
  /** The path of a rollout in a state that the background service would have brought it to. */
  const rolloutIn = async (api: ControlPlane, tenant: TestTenant, state: string): Promise<string> => {
    const { server, release } = await newServer(api, tenant);
    const path = `/v1/servers/${server}/rollouts`;
    const { status, text, body } = await api.send('POST', path, { key: tenant.key, body: { release } });
    if (status !== 201) throw new Error(text);
    await api.control.asTenant(tenant.id, (tx) =>
      tx.query(`update rollouts set state = $2 where id = $1`, [body.rollout.id, state]),
    );
    return `${path}/${body.rollout.id}`;
  };
  const moving =
    (verb: string, state: string): MakeExample =>
    async (api, tenant) => ({ path: `${await rolloutIn(api, tenant, state)}/${verb}`, status: 200 });
  return {
    ...driftExamples(withLiveReleases, newRelease),
    'POST /v1/servers/{server}/rollouts': async (api, tenant) => {
      const { server, release } = await newServer(api, tenant);
      const steps = [
        { percent: 10, seconds: 60 },
        { percent: 100, seconds: 60 },
      ];
      return { path: `/v1/servers/${server}/rollouts`, status: 201, body: { release, strategy: 'canary', steps } };
    },
    'GET /v1/servers/{server}/rollouts': async (api, tenant) => ({
      path: (await rolloutIn(api, tenant, 'running')).replace(/\/[^/]+$/, ''),
      status: 200,
    }),
    'GET /v1/servers/{server}/rollouts/{rollout}': async (api, tenant) => ({
      path: await rolloutIn(api, tenant, 'running'),
      status: 200,
    }),
    'GET /v1/servers/{server}/release-schedule': async (api, tenant) => ({
      path: `/v1/servers/${await withLiveReleases(api, tenant)}/release-schedule`,
      status: 200,
    }),
    'PUT /v1/servers/{server}/release-schedule': async (api, tenant) => ({
      path: `/v1/servers/${await withLiveReleases(api, tenant)}/release-schedule`,
      status: 200,
      body: { windows: [], freeze: { reason: 'Holidays.', until: null } },
    }),
    'POST /v1/servers/{server}/rollouts/{rollout}/pause': moving('pause', 'running'),
    'POST /v1/servers/{server}/rollouts/{rollout}/resume': moving('resume', 'paused'),
    'POST /v1/servers/{server}/rollouts/{rollout}/promote': moving('promote', 'running'),
    'POST /v1/servers/{server}/rollouts/{rollout}/abort': moving('abort', 'running'),
  };
}
