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
  const mistyped = await move('uss');
  expect([mistyped.status, mistyped.body.detail]).toEqual([400, expect.stringContaining('there are eu, us')]);
  expect((await act('GET', '')).body.tenant.home_region).toBe('eu');
  expect((await move('us')).status).toBe(204);
  for (const key of [tenant.key, token]) {
    const refused = await api.send('GET', '/v1/servers', { key });
    expect([refused.status, refused.body.code]).toEqual([421, 'misdirected']);
    expect(refused.body.detail).toContain('region us alone, and this is eu. Ask there: https://us.wharf.example');
  }
  await move(null);
  expect((await api.send('GET', '/v1/servers', { key: tenant.key })).status).toBe(200);
});

test('maintenance and announcements of a region hold for its services alone', async () => {
  const tenant = await api.newTenant();
  const act = (method: string, path: string, body?: unknown) =>
    api.send(method, `/admin/v1${path}`, { key: api.operatorKey, body });
  const begin = (region?: string) =>
    act('PUT', '/maintenance', { region, mode: 'management', message: 'New disks.', minutes: 10, reason: 'disks' });
  const change = (slug: string) => api.send('POST', '/v1/servers', { key: tenant.key, body: { slug, name: 'Shop' } });
  const told = async () => (await api.send('GET', '/v1/announcements', { key: tenant.key })).body;
  const ends_at = new Date(Date.now() + 3_600_000).toISOString();
  for (const region of ['us', 'eu', undefined])
    await act('POST', '/announcements', {
      region,
      severity: 'info',
      text: `To ${region}.`,
      ends_at,
      reason: 'planned',
    });
  const texts = (await told()).announcements.map(({ text }: { text: string }) => text);
  expect(texts.toSorted()).toEqual(['To eu.', 'To undefined.']);

  expect((await begin('us')).body.regions).toMatchObject([{ region: 'us', mode: 'management' }]);
  expect([(await change('first')).status, (await told()).maintenance]).toEqual([201, null]);
  expect((await begin('eu')).body).toMatchObject({ maintenance: null, regions: [{ region: 'eu' }, { region: 'us' }] });
  const refused = await change('second');
  expect([refused.status, refused.body.detail]).toEqual([503, expect.stringContaining('The region eu is being')]);
  expect((await told()).maintenance.region).toBe('eu');
  await act('DELETE', '/maintenance?region=eu&reason=done');
  expect((await change('third')).status).toBe(201);
  expect((await act('GET', '/maintenance')).body.regions).toHaveLength(1);
  const ended = await Promise.all(['region=eu&', ''].map((of) => act('DELETE', `/maintenance?${of}reason=done`)));
  expect(ended.map(({ status }) => status)).toEqual([404, 204]);
  const unknown = await begin('mars');
  expect([unknown.status, unknown.body.detail]).toEqual([400, expect.stringContaining('there are eu, us')]);
});
