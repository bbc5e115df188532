import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startControlPlane, type ControlPlane } from '../testing/control-plane.fixture.js';

let api: ControlPlane;

beforeAll(async () => {
  api = await startControlPlane();
});

afterAll(() => api.stop());

const act = (method: string, path: string, body?: unknown) =>
  api.send(method, `/admin/v1${path}`, { key: api.operatorKey, ...(body === undefined ? {} : { body }) });
const inHours = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString();

test('during maintenance changes wait with a message, and reading and operators go on', async () => {
  const tenant = await api.newTenant();
  const server = { key: tenant.key, body: { slug: 'shop', name: 'Shop' } };
  await act('PUT', '/maintenance', { mode: 'management', message: 'New disks.', minutes: 10, reason: 'disks' });
  const refused = await api.send('POST', '/v1/servers', server);
  expect([refused.status, refused.body.code]).toEqual([503, 'unavailable']);
  expect(refused.body.detail).toContain('New disks.');
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(500);
  const signup = { tenant_name: 'T', slug: 'later', email: 'later@example.com', password: 'correct horse battery' };
  expect((await api.send('POST', '/v1/signup', { body: signup })).status).toBe(503);
  const shown = await api.send('GET', '/v1/announcements', { key: tenant.key });
  expect(shown.body.maintenance).toMatchObject({ mode: 'management', message: 'New disks.' });
  expect((await act('POST', `/tenants/${tenant.slug}/suspend`, { reason: 'spam' })).status).toBe(200);
  await act('POST', `/tenants/${tenant.slug}/resume`, { reason: 'cleared' });
  await act('DELETE', '/maintenance?reason=done');
  const regional = await act('PUT', '/maintenance', {
    region: 'eu',
    mode: 'management',
    message: 'New disks.',
    minutes: 10,
    reason: 'disks',
  });
  expect([regional.status, regional.body.detail]).toEqual([409, expect.stringContaining('Set WHARF_REGION on every')]);
  expect((await api.send('POST', '/v1/servers', server)).status).toBe(201);
});

test('an announcement is shown to every tenant in its time, until it is withdrawn', async () => {
  const tenant = await api.newTenant();
  const texts = async () => {
    const { body } = await api.send('GET', '/v1/announcements', { key: tenant.key });
    return body.announcements.map(({ text }: { text: string }) => text);
  };
  const say = (text: string, times: object) =>
    act('POST', '/announcements', { severity: 'info', text, reason: 'planned', ...times });
  const { body } = await say('Upgrade on Sunday.', { ends_at: inHours(24) });
  await say('Later.', { starts_at: inHours(1), ends_at: inHours(2) });
  expect(await texts()).toEqual(['Upgrade on Sunday.']);
  for (const times of [{ ends_at: inHours(-1) }, { starts_at: inHours(2), ends_at: inHours(1) }])
    expect((await say('Never.', times)).status).toBe(400);
  expect((await act('DELETE', `/announcements/${body.announcement.id}?reason=moved`)).status).toBe(204);
  expect(await texts()).toEqual([]);
  expect((await act('GET', '/announcements')).body.announcements).toHaveLength(2);
});
