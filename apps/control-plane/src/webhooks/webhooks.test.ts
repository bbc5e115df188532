import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Client } from 'pg';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';

let api: ControlPlane;
let tenant: TestTenant;
let owner: Client;

beforeAll(async () => {
  api = await startControlPlane();
  tenant = await api.newTenant();
  owner = await api.connectOwner();
});

afterAll(() => api.stop());

const each = { mode: 'each', name: 'W', url: 'https://example.com/hook', events: ['*'] };
const stream = { mode: 'stream', name: 'W', url: 'https://example.com/hook' };
const create = (body: object, of = tenant) => api.send('POST', '/v1/webhooks', { key: of.key, body });
const change = (id: string, body: object) => api.send('PATCH', `/v1/webhooks/${id}`, { key: tenant.key, body });
const count = async () => (await owner.query(`select count(*)::int as n from webhooks`)).rows[0].n;

test('a secret is shown once, stored sealed, and never recorded', async () => {
  const { status, body } = await create({ ...each, url: 'https://user-hooks.example.com/T0/URL-CANARY' });
  expect([status, body.secret]).toEqual([201, expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/)]);
  const shown = await api.send('GET', `/v1/webhooks/${body.webhook.id}`, { key: tenant.key });
  expect(shown.body).toEqual(body.webhook);
  const audit = await api.send('GET', `/v1/audit?target=webhook:${body.webhook.id}`, { key: tenant.key });
  expect(audit.body.records).toMatchObject([{ event: 'webhook.created' }]);
  const { rows } = await owner.query(`select w::text || encode(secret, 'escape') as text from webhooks w`);
  const everything = JSON.stringify(rows) + shown.text + audit.text;
  expect(everything).not.toContain(body.secret.slice(6));
  expect(audit.text).not.toContain('URL-CANARY');
});

test.each(['release.published', 'release.*', 'audit.checkpoint', 'audit.*', 'call.*', '*'])(
  'takes the pattern %s',
  async (event) => {
    const other = await api.newTenant();
    expect((await create({ ...each, events: [event] }, other)).status).toBe(201);
  },
);

test.each([
  ['an unknown event', { ...each, events: ['release.exploded'] }, '/events/0'],
  ['a pattern of nothing', { ...each, events: ['nothing.*'] }, '/events/0'],
  ['half a pattern', { ...each, events: ['rel*'] }, '/events/0'],
  ['a pattern inside', { ...each, events: ['*.published'] }, '/events/0'],
  ['the same twice', { ...each, events: ['*', '*'] }, '/events'],
  ['no events', { ...each, events: [] }, '/events'],
  ['http', { ...each, url: 'http://example.com/' }, '/url'],
  ['an address that is not public', { ...each, url: 'https://127.0.0.1/' }, '/url'],
  ['a cloud’s own address', { ...each, url: 'https://169.254.169.254/' }, '/url'],
  ['this machine by name', { ...each, url: 'https://localhost/x' }, '/url'],
  ['a name of a local network', { ...stream, url: 'https://siem.internal/x' }, '/url'],
  ['an IPv6 disguise', { ...each, url: 'https://[::ffff:10.0.0.1]/' }, '/url'],
  ['credentials in the URL', { ...each, url: 'https://a:b@example.com/' }, '/url'],
  ['another scheme', { ...each, url: 'file:///etc/passwd' }, '/url'],
  ['no URL', { ...each, url: 'example.com' }, '/url'],
  ['a fragment', { ...each, url: 'https://example.com/#x' }, '/url'],
  ['a name of two lines', { ...each, name: 'a\nb' }, '/name'],
  ['events of a stream', { ...stream, events: ['*'] }, undefined],
  ['a format of single events', { ...each, format: 'ocsf' }, undefined],
  ['headers of single events', { ...each, headers: { authorization: 'x' } }, undefined],
  ['a header that we set', { ...stream, headers: { 'Webhook-Id': 'x' } }, undefined],
  ['a header about the connection', { ...stream, headers: { 'transfer-encoding': 'chunked' } }, undefined],
  ['a header of two lines', { ...stream, headers: { 'x-key': 'a\r\nb: c' } }, undefined],
  ['a header twice', { ...stream, headers: { 'X-Key': 'a', 'x-key': 'b' } }, '/headers'],
  ['a record before the first', { ...stream, from_leaf: -1 }, '/from_leaf'],
])('refuses %s and keeps nothing', async (_, body, pointer) => {
  const before = await count();
  const answer = await create(body);
  expect(answer.status).toBe(400);
  if (pointer !== undefined) expect(answer.body.errors[0].pointer).toBe(pointer);
  expect(await count()).toBe(before);
});

test('http is taken where an operator opened the host', async () => {
  const allowance = { host: 'hooks.internal', port: 8080, reason: 'a test' };
  const path = `/admin/v1/tenants/${tenant.slug}/egress-allowances`;
  await api.send('POST', path, { key: api.operatorKey, body: allowance });
  expect((await create({ ...each, url: 'http://hooks.internal:8080/x' })).status).toBe(201);
  expect((await create({ ...each, url: 'http://hooks.internal:8081/x' })).status).toBe(400);
  const other = await api.newTenant();
  expect((await create({ ...each, url: 'http://hooks.internal:8080/x' }, other)).status).toBe(400);
});

test('what does not fit a webhook’s mode changes nothing', async () => {
  const [one, other] = [(await create(each)).body.webhook, (await create(stream)).body.webhook];
  for (const [id, body] of [
    [one.id, { from_leaf: 3 }],
    [one.id, { format: 'ocsf', name: 'X' }],
    [other.id, { events: ['*'] }],
    [one.id, {}],
    [one.id, { url: 'http://example.com/', name: 'X' }],
  ])
    expect((await change(id, body)).status).toBe(400);
  const shown = await api.send('GET', `/v1/webhooks/${one.id}`, { key: tenant.key });
  expect(shown.body).toEqual(one);
});

test('a stream’s headers are sealed, shown by name only, and lead to no other origin', async () => {
  const body = { ...stream, format: 'otlp', headers: { 'X-Api-Key': 'HEADER-CANARY', authorization: 'Bearer CANARY' } };
  const created = await create(body);
  expect([created.status, created.body.webhook?.stream]).toMatchObject([
    201,
    { format: 'otlp', header_names: ['authorization', 'x-api-key'] },
  ]);
  const { id } = created.body.webhook;
  const away = await change(id, { url: 'https://elsewhere.example.com/' });
  expect([away.status, away.body.errors[0].pointer]).toEqual([400, '/headers']);
  expect((await change(id, { url: 'https://example.com/other' })).status).toBe(200);
  const moved = await change(id, { url: 'https://elsewhere.example.com/', headers: { 'x-key': 'HEADER-CANARY' } });
  expect(moved.body.stream.header_names).toEqual(['x-key']);
  const audit = await api.send('GET', `/v1/audit?target=webhook:${id}`, { key: tenant.key });
  const { rows } = await owner.query(
    `select w::text || encode(headers, 'escape') as text from webhooks w where id = $1`,
    [id],
  );
  expect(created.text + moved.text + audit.text + JSON.stringify(rows)).not.toContain('HEADER-CANARY');
  expect((await change(id, { headers: {} })).body.stream.header_names).toEqual([]);
});

test('a stream begins in the log or with what comes next, never beyond', async () => {
  const own = await api.newTenant();
  await owner.query(
    `insert into audit_trees (tenant_id, size) values ($1, 7) on conflict (tenant_id) do update set size = 7`,
    [own.id],
  );
  const { body } = await create({ ...stream, from_leaf: 7 }, own);
  expect(body.webhook.stream.next_leaf).toBe(7);
  const path = `/v1/webhooks/${body.webhook.id}`;
  const moved = await api.send('PATCH', path, { key: own.key, body: { from_leaf: 0 } });
  expect(moved.body.stream.next_leaf).toBe(0);
  for (const from of [8, Number.MAX_SAFE_INTEGER]) {
    const answers = [
      await create({ ...stream, from_leaf: from }, own),
      await api.send('PATCH', path, { key: own.key, body: { from_leaf: from } }),
    ];
    for (const { status, body: refused } of answers) {
      expect([status, refused.errors[0].pointer, refused.detail]).toEqual([
        400,
        '/from_leaf',
        expect.stringContaining('The log has 7 records'),
      ]);
    }
  }
  expect((await api.send('GET', path, { key: own.key })).body.stream.next_leaf).toBe(0);
});

test('a secret signs for as long as was said: a further one is refused until then, or ends all before it', async () => {
  const { id } = (await create(each)).body.webhook;
  const rotate = (seconds: number) =>
    api.send('POST', `/v1/webhooks/${id}/secret`, { key: tenant.key, body: { overlap_seconds: seconds } });
  const until = (await rotate(600)).body.webhook.previous_secret_expires_at;
  const refused = await rotate(60);
  expect([refused.status, refused.body.code, refused.body.detail]).toEqual([
    409,
    'conflict',
    expect.stringContaining(until),
  ]);
  const shown = await api.send('GET', `/v1/webhooks/${id}`, { key: tenant.key });
  expect(shown.body.previous_secret_expires_at).toBe(until);
  const ended = await rotate(0);
  expect([ended.status, ended.body.webhook.previous_secret_expires_at]).toEqual([200, null]);
  expect((await rotate(60)).status).toBe(200);
});

test('a tenant has twenty webhooks, also when it asks for many at once', async () => {
  const full = await api.newTenant();
  for (let index = 0; index < 17; index += 1) expect((await create(each, full)).status).toBe(201);
  const answers = await Promise.all(Array.from({ length: 8 }, () => create(each, full)));
  const statuses = answers.map(({ status }) => status).toSorted();
  expect(statuses).toEqual([201, 201, 201, 409, 409, 409, 409, 409]);
});

test('deliveries are paged and narrowed by their state', async () => {
  const { id } = (await create(each)).body.webhook;
  const path = `/v1/webhooks/${id}`;
  for (let index = 0; index < 3; index += 1)
    expect((await api.send('POST', `${path}/test`, { key: tenant.key })).status).toBe(202);
  const list = async (query: string) => (await api.send('GET', `${path}/deliveries${query}`, { key: tenant.key })).body;
  const first = await list('?limit=2');
  const rest = await list(`?limit=2&cursor=${first.next_cursor}`);
  expect([first.deliveries.length, rest.deliveries.length, rest.next_cursor]).toEqual([2, 1, null]);
  expect((await list('?state=dead')).deliveries).toEqual([]);
  const jobs = await owner.query(
    `select payload from outbox where name = 'deliver-webhook' and payload->>'webhookId' = $1`,
    [id],
  );
  expect(jobs.rows).toHaveLength(3);
});
