import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';

let api: ControlPlane;
let tenant: TestTenant;

beforeAll(async () => {
  api = await startControlPlane();
  tenant = await api.newTenant();
});

afterAll(() => api?.stop());

const put = (name: string, body: object, headers: Record<string, string> = {}) =>
  api.send('PUT', `/v1/call-limits/${name}`, { key: tenant.key, body, headers });

test('a limit is written with what is usual, changed under its tag, and gone when it is deleted', async () => {
  const written = await put('each-person', { per: ['person'], calls: 60, window_seconds: 60 });
  expect(written.body).toMatchObject({ server: null, tools: ['*'], clients: [], when_uncertain: 'allow' });
  const etag = written.headers.get('etag') ?? '';
  const changed = await put('each-person', { calls: 5, window_seconds: 60 }, { 'if-match': etag });
  expect([changed.status, changed.body.per]).toEqual([200, []]);
  expect((await put('each-person', { calls: 6, window_seconds: 60 }, { 'if-match': etag })).status).toBe(412);
  const path = '/v1/call-limits/each-person';
  expect((await api.send('DELETE', path, { key: tenant.key })).status).toBe(204);
  expect((await api.send('GET', path, { key: tenant.key })).status).toBe(404);
});

test.each([
  [{ window_seconds: 60 }, '/calls'],
  [{ calls: 0, window_seconds: 60 }, '/calls'],
  [{ calls: 1, window_seconds: 2_678_401 }, '/window_seconds'],
  [{ calls: 1, window_seconds: 60, per: ['person', 'person'] }, '/per'],
  [{ calls: 1, window_seconds: 60, tools: [] }, '/tools'],
  [{ calls: 1, window_seconds: 60, tools: ['*_create'] }, '/tools/0'],
  [{ calls: 1, window_seconds: 60, server: 'nobodys' }, '/server'],
])('%j is refused at %s', async (body, pointer) => {
  const { status, body: problem } = await put('bad', body);
  expect([status, problem.errors?.[0]?.pointer]).toEqual(['server' in body ? 422 : 400, pointer]);
  expect((await api.send('GET', '/v1/call-limits/bad', { key: tenant.key })).status).toBe(404);
});

test('a tenant has twenty at most', async () => {
  const names = Array.from({ length: 21 }, (_, at) => `limit-${at}`);
  const statuses: number[] = [];
  for (const name of names) statuses.push((await put(name, { calls: 1, window_seconds: 1 })).status);
  expect(statuses).toEqual([...Array.from({ length: 20 }, () => 200), 409]);
});
