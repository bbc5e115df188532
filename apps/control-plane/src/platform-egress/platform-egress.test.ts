import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';

let api: ControlPlane;
let tenant: TestTenant;

beforeAll(async () => {
  api = await startControlPlane();
  tenant = await api.newTenant();
});

afterAll(() => api.stop());

const path = () => `/admin/v1/tenants/${tenant.slug}/egress-allowances`;
const add = (host: string, port: number = 80) =>
  api.send('POST', path(), { key: api.operatorKey, body: { host, port, reason: 'a test upstream' } });

test.each([
  ['127.0.0.1', '127.0.0.1'],
  ['LOCALHOST', 'localhost'],
  ['[::1]', '::1'],
  ['fd00:0:0:0:0:0:0:1', 'fd00::1'],
  ['api.internal', 'api.internal'],
  ['0x7f.2', '127.0.0.2'],
])('%s is allowed as exactly %s', async (given, kept) => {
  const answer = await add(given);
  expect([answer.status, answer.body.egress_allowance?.host]).toEqual([201, kept]);
});

test.each(['*', '*.internal', '10.0.0.0/8', 'http://a', 'a:80', 'a b', '', 'ä.example', '-a', 'x'.repeat(254)])(
  'refuses "%s" as a host',
  async (host) => expect((await add(host)).status).toBe(400),
);

test('the same address twice is a conflict', async () => {
  expect((await add('twice.internal')).status).toBe(201);
  expect((await add('Twice.Internal')).status).toBe(409);
  expect((await add('twice.internal', 81)).status).toBe(201);
});

test('an allowance is withdrawn with a reason, which the tenant reads', async () => {
  const { id } = (await add('brief.internal')).body.egress_allowance;
  const remove = (query: string) => api.send('DELETE', `${path()}/${id}${query}`, { key: api.operatorKey });
  expect((await remove('')).status).toBe(400);
  expect((await remove('?reason=done')).status).toBe(204);
  expect((await remove('?reason=done')).status).toBe(404);
  const audit = await api.send('GET', `/v1/audit?target=egress_allowance:${id}`, { key: tenant.key });
  expect(audit.body.records).toMatchObject([
    { event: 'egress_allowance.removed', details: { host: 'brief.internal', port: 80, reason: 'done' } },
    { event: 'egress_allowance.added', details: { reason: 'a test upstream' } },
  ]);
});
