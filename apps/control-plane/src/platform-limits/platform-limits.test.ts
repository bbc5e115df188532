import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startControlPlane, type Answer, type ControlPlane } from '../testing/control-plane.fixture.js';

let api: ControlPlane;

beforeAll(async () => {
  api = await startControlPlane();
});

afterAll(() => api?.stop());

test('limits that are a tenant’s already change nothing, as the platform’s log says, and are not told again', async () => {
  const tenant = await api.newTenant();
  const path = `/admin/v1/tenants/${tenant.slug}/limits`;
  const set = async (limits: object, reason: string): Promise<Answer> => {
    const { headers } = await api.send('GET', path, { key: api.operatorKey });
    const ifMatch = { 'if-match': headers.get('etag') ?? '' };
    return api.send('PUT', path, { key: api.operatorKey, headers: ifMatch, body: { limits, reason } });
  };
  const wide = { servers_max: 100, calls_per_minute: 900 };
  await set({}, 'the plan’s, as before');
  expect((await set(wide, 'room')).body.effective).toMatchObject(wide);
  const again = await set({ calls_per_minute: 900, servers_max: 100 }, 'room, once more');
  expect([again.status, again.body.limits, again.body.reason]).toEqual([200, wide, 'room']);
  await set({}, 'enough');
  const { body: log } = await api.send('GET', '/v1/audit?event=tenant.limits_changed', { key: tenant.key });
  expect(log.records.map(({ details }: { details: object }) => details)).toEqual([
    { limits: {}, reason: 'enough' },
    { limits: wide, reason: 'room' },
  ]);
  const acts = await api.send('GET', `/admin/v1/actions?action=limits.set&tenant_id=${tenant.id}`, {
    key: api.operatorKey,
  });
  expect(acts.body.actions.map((act: { details: { outcome: string } }) => act.details.outcome)).toEqual([
    'done',
    'unchanged',
    'done',
    'unchanged',
  ]);
});
