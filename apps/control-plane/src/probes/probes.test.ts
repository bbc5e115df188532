import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '#libs/database';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';

let api: ControlPlane;
let tenant: TestTenant;
const PROBES = '/v1/servers/shop/probes';

beforeAll(async () => {
  api = await startControlPlane();
  tenant = await api.newTenant();
  for (const slug of ['shop', 'other', 'many'])
    await api.send('POST', '/v1/servers', { key: tenant.key, body: { slug, name: slug } });
});
afterAll(() => api.stop());

const send = (method: string, path: string, body?: unknown) =>
  api.send(method, path, { key: tenant.key, ...(body === undefined ? {} : { body }) });
const create = (name: string, more: object = {}) => send('POST', PROBES, { name, tool: 'look', ...more });

test('a probe is created with careful defaults, changed in part and deleted', async () => {
  const made = await create('first');
  expect(made.body.probe).toMatchObject({
    tool: 'look',
    arguments: {},
    expect: { outcome: 'ok' },
    allow_effects: false,
    enabled: true,
    every_seconds: null,
    state: 'unknown',
    due_at: null,
  });
  const path = `${PROBES}/${made.body.probe.id}`;
  const changed = await send('PATCH', path, { every_seconds: 60 });
  expect(changed.body.probe).toMatchObject({ name: 'first', every_seconds: 60, due_at: expect.any(String) });
  expect((await send('PATCH', path, { enabled: false })).body.probe).toMatchObject({ every_seconds: 60, due_at: null });
  expect((await send('DELETE', path)).status).toBe(204);
  expect((await send('GET', path)).status).toBe(404);
  const events = (await send('GET', '/v1/audit')).body.records.map((record: { event: string }) => record.event);
  expect(events).toEqual(expect.arrayContaining(['probe.created', 'probe.changed', 'probe.deleted']));
});

test('a probe of another server is not there, and names are taken once', async () => {
  const { id } = (await create('mine')).body.probe;
  expect((await send('GET', `/v1/servers/other/probes/${id}`)).status).toBe(404);
  expect((await create('mine')).status).toBe(409);
  const second = (await create('second')).body.probe.id;
  expect((await send('PATCH', `${PROBES}/${second}`, { name: 'mine' })).status).toBe(409);
  expect((await send('PATCH', `${PROBES}/${second}`, { name: 'second' })).status).toBe(200);
});

test.each<[string, object]>([
  ['an expression', { expect: { matches: '(a+)+$' } }],
  ['a pointer that is none', { expect: { values: { total: 1 } } }],
  ['a schedule by the second', { every_seconds: 1 }],
  ['a tool that cannot be', { tool: 'a b' }],
  ['arguments that are no object', { arguments: [1] }],
  ['too long a latency', { expect: { latency_ms_max: 60_000 } }],
])('refuses %s', async (_, more) => {
  expect((await create('bad', more)).status).toBe(400);
});

test('a server has twenty probes at most', async () => {
  const path = '/v1/servers/many/probes';
  for (let count = 0; count < 20; count += 1)
    expect((await send('POST', path, { name: `p${count}`, tool: 'look' })).status).toBe(201);
  expect((await send('POST', path, { name: 'more', tool: 'look' })).status).toBe(409);
});

test('probes run on the live release or one that is named, and on nothing else', async () => {
  expect((await send('POST', `${PROBES}/run`)).status).toBe(409);
  expect((await send('POST', `${PROBES}/run`, { release: newId() })).status).toBe(404);
  expect((await send('POST', `${PROBES}/run`, { probes: [] })).status).toBe(400);
});

test('results are empty before the first run', async () => {
  const { id } = (await create('new')).body.probe;
  const { body } = await send('GET', `${PROBES}/${id}/results?hours=720`);
  const figures = { runs: 0, failure_ratio: 0, divergence_ratio: 0, latency_ms_median: null };
  expect(body).toEqual({ results: [], next_cursor: null, figures });
  expect((await send('GET', `${PROBES}/${id}/results?hours=721`)).status).toBe(400);
});
