import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';

let api: ControlPlane;
let tenant: TestTenant;

beforeAll(async () => {
  api = await startControlPlane();
  tenant = await api.newTenant();
  for (const slug of ['a', 'b', 'c', 'd', 'e']) {
    await api.send('POST', '/v1/servers', { key: tenant.key, body: { slug, name: slug } });
  }
});

afterAll(() => api.stop());

const query = (text: string) => api.send('GET', `/v1/audit?${text}`, { key: tenant.key });
const slugs = (answer: { body: { records: Array<{ details: { slug: string } }> } }): string[] =>
  answer.body.records.map((record) => record.details.slug);

test('records come newest first', async () => {
  expect(slugs(await query('event=server.created'))).toEqual(['e', 'd', 'c', 'b', 'a']);
});

test('pages stay as they are while records are added', async () => {
  const reader = await api.newTenant();
  const add = (slug: string) => api.send('POST', '/v1/servers', { key: reader.key, body: { slug, name: slug } });
  for (const slug of ['a', 'b', 'c']) await add(slug);
  const page = (cursor: string) =>
    api.send('GET', `/v1/audit?event=server.created&limit=2${cursor}`, { key: reader.key });
  const first = await page('');
  await add('d');
  const second = await page(`&cursor=${first.body.next_cursor}`);
  expect([slugs(first), slugs(second), second.body.next_cursor]).toEqual([['c', 'b'], ['a'], null]);
});

test('filters narrow by actor, target, outcome and time, and together', async () => {
  const [record] = (await query('event=server.created&limit=1')).body.records;
  const { id, kind } = record.actor;
  expect((await query(`event=server.created&actor=${id}`)).body.records).toHaveLength(5);
  expect((await query(`event=server.created&actor=${kind}:${id}`)).body.records).toHaveLength(5);
  expect((await query(`actor=operator:${id}`)).body.records).toHaveLength(0);
  expect((await query(`target=${record.target}`)).body.records).toHaveLength(1);
  expect((await query('outcome=failed')).body.records).toHaveLength(0);
  const at = encodeURIComponent(record.at);
  expect((await query(`event=server.created&to=${at}`)).body.records.length).toBeLessThan(5);
  expect((await query(`event=server.created&from=${at}`)).body.records.length).toBeGreaterThan(0);
});

test.each(['event=made.up', 'from=yesterday', 'limit=201', 'cursor=AAAA', `actor=${'x'.repeat(200)}`, "target='%00"])(
  'refuses %s',
  async (text) => expect((await query(text)).status).toBe(400),
);

test.each([
  ['from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z', '/query/to', 'not before `from`'],
  ['from=2026-11-01T00:00:00Z&to=2026-11-01T01:00:00%2B02:00', '/query/to', 'not before `from`'],
  ['duration_ms_min=100&duration_ms_max=99', '/query/duration_ms_max', 'not below `duration_ms_min`'],
])('refuses %s, which nothing can meet, to whoever reads and exports', async (text, pointer, told) => {
  for (const path of ['/v1/audit', '/v1/audit/export']) {
    const { status, body } = await api.send('GET', `${path}?${text}`, { key: tenant.key });
    expect([status, body.errors]).toEqual([400, [{ pointer, message: expect.stringContaining(told) }]]);
  }
});

test('one tenant’s filter finds nothing of another’s', async () => {
  const other = await api.newTenant();
  const [record] = (await query('event=server.created&limit=1')).body.records;
  const cursor = (await query('limit=1')).body.next_cursor;
  for (const text of [`target=${record.target}`, `actor=${record.actor.id}`, `event=server.created&cursor=${cursor}`]) {
    expect((await api.send('GET', `/v1/audit?${text}`, { key: other.key })).body.records).toEqual([]);
  }
});

test('that somebody reads the log is recorded, once a minute for each reader', async () => {
  const reader = await api.newTenant();
  const read = () => api.send('GET', '/v1/audit?event=audit.read', { key: reader.key });
  expect((await read()).body.records).toEqual([]);
  expect((await read()).body.records).toMatchObject([{ event: 'audit.read', actor: { kind: 'api-key' } }]);
  expect((await read()).body.records).toHaveLength(1);
});

test('the catalogue tells every event with the schema of its details', async () => {
  const { events } = (await api.send('GET', '/v1/audit/events', { key: tenant.key })).body;
  const written = events.find(({ name }: { name: string }) => name === 'secret.written');
  expect(written).toMatchObject({ version: 1, details: { type: 'object', required: ['version'] } });
});
