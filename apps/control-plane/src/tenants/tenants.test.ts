import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';

let api: ControlPlane;
let tenant: TestTenant;

beforeAll(async () => {
  api = await startControlPlane();
  tenant = await api.newTenant();
});

afterAll(() => api.stop());

const allow = (origins: unknown) =>
  api.send('PATCH', '/v1/tenant', { key: tenant.key, body: { allowed_origins: origins } });

test('a tenant names the web pages that may call it, each once', async () => {
  const origins = ['https://app.example', 'http://localhost:6274'];
  const answer = await allow([...origins, 'https://app.example']);
  expect([answer.status, answer.body.allowed_origins]).toEqual([200, origins]);
  const shown = await api.send('GET', '/v1/tenant', { key: tenant.key });
  expect(shown.body.tenant.allowed_origins).toEqual(origins);
});

test.each([
  '*',
  'null',
  'https://*.a.example',
  'https://app.example/',
  'http://app.example',
  'https://APP.example',
  'app.example',
  7,
])('refuses the origin %j and changes nothing', async (origin) => {
  const before = (await api.send('GET', '/v1/tenant', { key: tenant.key })).body;
  const answer = await allow(['https://other.example', origin]);
  expect([answer.status, answer.body.errors?.[0]?.pointer]).toEqual([400, '/allowed_origins/1']);
  expect((await api.send('GET', '/v1/tenant', { key: tenant.key })).body).toEqual(before);
});
