import { randomBytes } from 'node:crypto';
import type { ControlPlane, TestTenant } from './control-plane.fixture.js';
import type { MakeExample } from './example.fixture.js';

const slug = (): string => `n-${randomBytes(5).toString('hex')}`;

async function newProfile(api: ControlPlane, { key }: TestTenant): Promise<string> {
  const made = await api.send('POST', '/v1/profiles', { key, body: { slug: slug(), name: 'CANARY profile' } });
  if (made.status !== 201) throw new Error(`expected 201: ${made.text}`);
  return `/v1/profiles/${made.body.profile.slug}`;
}

/** A good request to every route of profiles. */
export const PROFILE_EXAMPLES: Readonly<Record<string, MakeExample>> = {
  'GET /v1/profiles': async (api, tenant) => {
    await newProfile(api, tenant);
    return { path: '/v1/profiles', status: 200 };
  },
  'POST /v1/profiles': () => ({ path: '/v1/profiles', status: 201, body: { slug: slug(), name: 'Another' } }),
  'GET /v1/profiles/{profile}': async (api, tenant) => ({ path: await newProfile(api, tenant), status: 200 }),
  'PATCH /v1/profiles/{profile}': async (api, tenant) => ({
    path: await newProfile(api, tenant),
    status: 200,
    body: { read_only: true },
  }),
  'DELETE /v1/profiles/{profile}': async (api, tenant) => ({ path: await newProfile(api, tenant), status: 204 }),
  'GET /v1/profiles/{profile}/tools': async (api, tenant) => ({
    path: `${await newProfile(api, tenant)}/tools`,
    status: 200,
  }),
  'GET /v1/profiles/{profile}/connect-attempts': async (api, tenant) => ({
    path: `${await newProfile(api, tenant)}/connect-attempts`,
    status: 200,
  }),
};
