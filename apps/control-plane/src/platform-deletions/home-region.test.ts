import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startControlPlane, type ControlPlane } from '../testing/control-plane.fixture.js';

let api: ControlPlane;

beforeAll(async () => {
  const environment = { WHARF_REGION: 'eu', WHARF_REGION_URLS: 'us=https://us.wharf.example' };
  api = await startControlPlane({ environment });
});

afterAll(() => api.stop());

test('a tenant is at home where it signed up, and refused by every other region, which names its own', async () => {
  const tenant = await api.newTenant();
  const act = (method: string, path: string, body?: unknown) =>
    api.send(method, `/admin/v1/tenants/${tenant.slug}${path}`, { key: api.operatorKey, body });
  expect((await act('GET', '')).body.tenant.home_region).toBe('eu');
  const token = await api.tokenOf(tenant, tenant.ownerId);
  const move = (region: string | null) => act('PUT', '/home-region', { region, reason: 'they moved' });
  expect((await move('us')).status).toBe(204);
  for (const key of [tenant.key, token]) {
    const refused = await api.send('GET', '/v1/servers', { key });
    expect([refused.status, refused.body.code]).toEqual([421, 'misdirected']);
    expect(refused.body.detail).toContain('region us alone, and this is eu. Ask there: https://us.wharf.example');
  }
  await move(null);
  expect((await api.send('GET', '/v1/servers', { key: tenant.key })).status).toBe(200);
});
