import type { ControlPlane, TestTenant } from './control-plane.fixture.js';
import type { MakeExample } from './example.fixture.js';

type MakeServer = (api: ControlPlane, tenant: TestTenant) => Promise<string>;

const ENTRY = { visibility: 'everyone', title: 'Examples', description: 'Shows what a server looks like.' };

async function listed(api: ControlPlane, tenant: TestTenant, newServer: MakeServer): Promise<string> {
  const server = await newServer(api, tenant);
  const path = `/v1/servers/${server}/registry-entry`;
  const put = await api.send('PUT', path, { key: tenant.key, body: ENTRY });
  if (put.status !== 200) throw new Error(`expected 200: ${put.text}`);
  return server;
}

async function registryNameOf(api: ControlPlane, tenant: TestTenant, newServer: MakeServer): Promise<string> {
  const server = await listed(api, tenant, newServer);
  const { body } = await api.send('GET', `/v1/servers/${server}/registry-entry`, { key: tenant.key });
  return encodeURIComponent(body.name);
}

/** A good request to every route of the registry that needs credentials. */
export function registryExamples(newServer: MakeServer): Readonly<Record<string, MakeExample>> {
  const entryAt = async (api: ControlPlane, tenant: TestTenant): Promise<string> =>
    `/v1/servers/${await listed(api, tenant, newServer)}/registry-entry`;
  return {
    'GET /v1/registry/v0/servers': async (api, tenant) => {
      await listed(api, tenant, newServer);
      return { path: '/v1/registry/v0/servers', status: 200 };
    },
    'GET /v1/registry/v0/servers/{name}/versions': async (api, tenant) => ({
      path: `/v1/registry/v0/servers/${await registryNameOf(api, tenant, newServer)}/versions`,
      status: 200,
    }),
    'GET /v1/registry/v0/servers/{name}/versions/{version}': async (api, tenant) => ({
      path: `/v1/registry/v0/servers/${await registryNameOf(api, tenant, newServer)}/versions/latest`,
      status: 200,
    }),
    'GET /v1/servers/{server}/registry-entry': async (api, tenant) => ({
      path: await entryAt(api, tenant),
      status: 200,
    }),
    'PUT /v1/servers/{server}/registry-entry': async (api, tenant) => ({
      path: `/v1/servers/${await newServer(api, tenant)}/registry-entry`,
      status: 200,
      body: ENTRY,
    }),
    'DELETE /v1/servers/{server}/registry-entry': async (api, tenant) => ({
      path: await entryAt(api, tenant),
      status: 204,
    }),
    'GET /v1/client-configs': async (api, tenant) => ({
      path: `/v1/client-configs?at=${await newServer(api, tenant)}`,
      status: 200,
    }),
  };
}

/** Those to the registry that everybody sees. */
export function publicRegistryExamples(newServer: MakeServer): Readonly<Record<string, MakeExample>> {
  const nameOf: MakeServer = (api, tenant) => registryNameOf(api, tenant, newServer);
  return {
    'GET /v0/servers': async (api, tenant) => {
      await listed(api, tenant, newServer);
      return { path: '/v0/servers', status: 200 };
    },
    'GET /v0/servers/{name}/versions': async (api, tenant) => ({
      path: `/v0/servers/${await nameOf(api, tenant)}/versions`,
      status: 200,
    }),
    'GET /v0/servers/{name}/versions/{version}': async (api, tenant) => ({
      path: `/v0/servers/${await nameOf(api, tenant)}/versions/latest`,
      status: 200,
    }),
    'GET /registry/{tenant}/v0/servers/{name}/versions': async (api, tenant) => ({
      path: `/registry/${tenant.slug}/v0/servers/${await nameOf(api, tenant)}/versions`,
      status: 200,
    }),
    'GET /registry/{tenant}/v0/servers/{name}/versions/{version}': async (api, tenant) => ({
      path: `/registry/${tenant.slug}/v0/servers/${await nameOf(api, tenant)}/versions/latest`,
      status: 200,
    }),
    'GET /registry/{tenant}/v0/servers': async (api, tenant) => {
      await listed(api, tenant, newServer);
      return { path: `/registry/${tenant.slug}/v0/servers`, status: 200 };
    },
  };
}
