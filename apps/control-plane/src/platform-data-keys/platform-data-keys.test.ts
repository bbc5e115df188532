import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startControlPlane, type ControlPlane } from '../testing/control-plane.fixture.js';

let api: ControlPlane;

beforeAll(async () => {
  api = await startControlPlane();
});

afterAll(() => api.stop());

test('an operator replaces the key of one tenant, which reads of it, and sees what is left under the old one', async () => {
  const [tenant, other] = await Promise.all([api.newTenant(), api.newTenant()]);
  const path = `/admin/v1/tenants/${tenant.slug}/data-key`;
  for (const { key } of [tenant, other])
    expect((await api.send('PUT', '/v1/secrets/token', { key, body: { value: 'SECRET-canary' } })).status).toBe(200);
  expect((await api.send('POST', path, { key: api.operatorKey, body: {} })).status).toBe(400);
  expect((await api.send('POST', path, { key: tenant.key, body: { reason: 'a leak' } })).status).toBe(401);
  const replaced = await api.send('POST', path, { key: api.operatorKey, body: { reason: 'a leak' } });
  expect(replaced.status).toBe(202);
  expect(replaced.body.data_keys).toMatchObject([
    { state: 'sealing', rows_left: 0 },
    { state: 'opening', rows: { secrets: 1 } },
  ]);
  await api.send('PUT', '/v1/secrets/token', { key: tenant.key, body: { value: 'another' } });
  expect((await api.send('GET', path, { key: api.operatorKey })).body.data_keys[0].rows).toMatchObject({ secrets: 1 });
  const others = await api.send('GET', `/admin/v1/tenants/${other.slug}/data-key`, { key: api.operatorKey });
  expect(others.body.data_keys).toMatchObject([{ state: 'sealing' }]);
  const audit = await api.send('GET', '/v1/audit?event=tenant.data_key_replaced', { key: tenant.key });
  expect(audit.body.records).toMatchObject([{ details: { reason: 'a leak' } }]);
  const otherAudit = await api.send('GET', '/v1/audit?event=tenant.data_key_replaced', { key: other.key });
  expect(otherAudit.body.records).toEqual([]);
});
