import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Secret } from '#libs/config';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';
import { leadsToStore } from './own-stores.js';

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

const addRange = (range: unknown, extra: object = {}) =>
  api.send('POST', path(), { key: api.operatorKey, body: { range, port: 443, reason: 'a private network', ...extra } });

test.each([
  ['10.20.0.0/16', '10.20.0.0/16'],
  ['10.0.0.0/8', '10.0.0.0/8'],
  ['172.16.4.0/24', '172.16.4.0/24'],
  ['192.168.1.7/32', '192.168.1.7/32'],
  ['100.64.0.0/10', '100.64.0.0/10'],
  ['127.0.0.0/30', '127.0.0.0/30'],
  ['fd00:0:0::/48', 'fd00::/48'],
])('the range %s is allowed as %s', async (given, kept) => {
  const answer = await addRange(given);
  expect([answer.status, answer.body.egress_allowance]).toEqual([
    201,
    expect.objectContaining({ host: null, range: kept, port: 443 }),
  ]);
});

test.each([
  '0.0.0.0/0',
  '::/0',
  '10.0.0.0/7',
  '10.20.0.1/16',
  '10.20.0.0',
  '10.20.0.0/33',
  '8.8.8.0/24',
  '169.254.0.0/16',
  '169.254.169.254/32',
  'fe80::/10',
  '::ffff:10.0.0.0/104',
  '2000::/3',
  '224.0.0.0/4',
  'internal/8',
  '',
  7,
])('refuses %j as a range', async (range) => expect((await addRange(range)).status).toBe(400));

test('an allowance is for a host or a range, and for a port', async () => {
  expect((await addRange('10.30.0.0/16', { host: 'a.internal' })).status).toBe(400);
  expect((await addRange('10.30.0.0/16', { port: undefined })).status).toBe(400);
});

test('the same range twice is a conflict, and a range is withdrawn like a host', async () => {
  const { id } = (await addRange('10.40.0.0/16')).body.egress_allowance;
  expect((await addRange('10.40.0.0/16')).body).toMatchObject({
    status: 409,
    detail: expect.stringContaining('10.40.0.0/16'),
  });
  expect((await addRange('10.40.0.0/16', { port: 80 })).status).toBe(201);
  const removed = await api.send('DELETE', `${path()}/${id}?reason=done`, { key: api.operatorKey });
  expect(removed.status).toBe(204);
  const audit = await api.send('GET', `/v1/audit?target=egress_allowance:${id}`, { key: tenant.key });
  expect(audit.body.records).toMatchObject([{ details: { range: '10.40.0.0/16', port: 443 } }, {}]);
  const { egress_allowances: listed } = (await api.send('GET', path(), { key: api.operatorKey })).body;
  expect(listed.map((one: { range: string | null; port: number }) => `${one.range} ${one.port}`)).toContain(
    '10.40.0.0/16 80',
  );
});

test.each(['169.254.169.254', '[fe80::1]', '0.0.0.0', '::ffff:169.254.169.254', '168.63.129.16', '224.0.0.1'])(
  'the address %s is not opened, and it is said why',
  async (host) => {
    const answer = await add(host);
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('where clouds keep their keys')]);
  },
);

test('a range that is not private is refused with what may be opened', async () => {
  const answer = await addRange('0.0.0.0/0');
  expect([answer.status, answer.body.errors]).toEqual([
    400,
    [{ pointer: '/range', message: expect.stringContaining('a range within 10.0.0.0/8, 172.16.0.0/12') }],
  ]);
});

test('the platform’s own PostgreSQL and Redis are opened to nobody, by whichever name, address or range', async () => {
  for (const url of [api.databaseUrl, api.redisUrl]) {
    const { hostname, port } = new URL(url);
    const answers = [await add(hostname, Number(port)), await add('LOCALHOST', Number(port))];
    const within = { range: '127.0.0.0/8', port: Number(port), reason: 'r' };
    answers.push(await api.send('POST', path(), { key: api.operatorKey, body: within }));
    expect(answers.map(({ status }) => status)).toEqual([422, 422, 422]);
    expect(answers[0]?.body.detail).toContain('of the platform itself');
  }
});

test('stores are known behind sentinels, in a cluster, in databases of tenants’ own, and at their usual ports', async () => {
  const config = {
    DATABASE_URL: 'postgres://u@db.internal/wharf',
    REDIS_URL: 'redis+cluster://:p@10.0.0.7:7000,redis-b',
    WHARF_DEDICATED_DATABASES: new Map([['own', new Secret('postgres://u@[fd00::9]:5433/own')]]),
  };
  const leads = (host: string | null, port: number, range: string | null = null) =>
    leadsToStore(config, { host, range, port });
  expect([await leads('db.internal', 5_432), await leads('10.0.0.7', 7_000), await leads('redis-b', 6_379)]).toEqual([
    true,
    true,
    true,
  ]);
  expect([await leads(null, 7_000, '10.0.0.0/16'), await leads('fd00::9', 5_433)]).toEqual([true, true]);
  expect([
    await leads('10.0.0.7', 443),
    await leads('10.0.0.8', 7_000),
    await leads(null, 7_000, '10.1.0.0/16'),
  ]).toEqual([false, false, false]);
});
