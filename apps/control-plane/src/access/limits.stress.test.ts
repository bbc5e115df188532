import { request, type ClientRequest } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { until } from '#libs/testing';
import { Client } from 'pg';
import { startControlPlane, type ControlPlane } from '../testing/control-plane.fixture.js';

let api: ControlPlane;

afterEach(() => api.stop());

const start = async (environment: Record<string, string>): Promise<ControlPlane> => {
  api = await startControlPlane({ environment: { WHARF_TRUST_PROXY: 'true', ...environment } });
  return api;
};
const show = (key: string, from = '203.0.113.1') =>
  api.send('GET', '/v1/tenant', { key, headers: { 'x-forwarded-for': from } });
const wrong = (key: string): string => `${key.slice(0, -4)}AAAA`;

describe.each([
  ['with Redis', {}],
  ['without Redis', { REDIS_URL: 'redis://127.0.0.1:9' }],
])('requests in a minute, %s', (_, environment) => {
  test('are limited for each tenant and operator, with the time to wait', async () => {
    await start({ ...environment, WHARF_MANAGEMENT_CALLS_PER_MINUTE: '12' });
    const [tenant, other] = [await api.newTenant(), await api.newTenant()];
    const answers = [await show(tenant.key), await show(tenant.key), await show(tenant.key)];
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 429]);
    expect(answers[2]?.body.code).toBe('rate_limited');
    const wait = Number(answers[2]?.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(0);
    const limit = [answers[2]?.headers.get('ratelimit'), answers[2]?.headers.get('ratelimit-policy')];
    expect(limit).toEqual([`"management.calls_per_minute";r=0;t=${wait}`, '"management.calls_per_minute";q=12;w=60']);
    expect((await show(await api.tokenOf(tenant, tenant.ownerId))).status).toBe(429);
    expect((await show(other.key)).status).toBe(200);
    const list = () => api.send('GET', '/admin/v1/tenants', { key: api.operatorKey });
    expect([(await list()).status, (await list()).status, (await list()).status]).toEqual([200, 200, 429]);
  });
});

test('operators’ reads are recorded, and those beyond the limit neither answered nor recorded', async () => {
  await start({ WHARF_MANAGEMENT_CALLS_PER_MINUTE: '12' });
  for (let read = 0; read < 10; read += 1) await api.send('GET', '/admin/v1/tenants', { key: api.operatorKey });
  const owner = new Client({ connectionString: api.databaseUrl });
  await owner.connect();
  const { rows } = await owner.query(`select action from operator_actions`);
  await owner.end();
  expect(rows).toEqual([{ action: 'tenants.list' }, { action: 'tenants.list' }]);
});

test('requests at once are limited for each tenant, and a place is free again when one has ended', async () => {
  await start({});
  const [tenant, other] = [await api.newTenant(), await api.newTenant()];
  const held = Array.from({ length: 17 }, () => unfinished(tenant.key));
  // Sixteen wait for their bodies; the one beyond is answered.
  expect(await Promise.race(held.map(statusOf))).toBe(429);
  const refused = await show(tenant.key);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
  expect([refused.headers.get('ratelimit'), refused.headers.get('ratelimit-policy')]).toEqual([
    '"management.concurrent_requests";r=0;t=1',
    '"management.concurrent_requests";q=16;qu="concurrent-requests"',
  ]);
  expect((await show(other.key)).status).toBe(200);
  for (const one of held) one.destroy();
  await until(async () => (await show(tenant.key)).status !== 429, 'a request is let in again');
});

describe('refused credentials', () => {
  test('are limited for each address, and a key that was good before passes', async () => {
    await start({ WHARF_REFUSED_CREDENTIALS_PER_MINUTE: '5' });
    const tenant = await api.newTenant();
    expect((await show(tenant.key)).status).toBe(200);
    const statuses = [];
    for (let tried = 0; tried < 6; tried += 1) statuses.push((await show(wrong(tenant.key))).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
    const refused = await show('who_'.padEnd(47, 'x'));
    expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).toEqual([429, true]);
    expect((await show(tenant.key)).status).toBe(200);
    expect((await show(wrong(tenant.key), '203.0.113.2')).status).toBe(401);
  });

  test('count while they are being proved, and good ones do not count', async () => {
    await start({ WHARF_REFUSED_CREDENTIALS_PER_MINUTE: '5' });
    const tenants = [];
    for (let made = 0; made < 8; made += 1) tenants.push(await api.newTenant());
    for (const { key } of tenants) expect((await show(key)).status).toBe(200);
    const key = wrong(tenants[0]?.key ?? '');
    const answers = await Promise.all(Array.from({ length: 20 }, () => show(key)));
    expect(answers.filter((answer) => answer.status === 401)).toHaveLength(5);
    expect(answers.filter((answer) => answer.status === 429)).toHaveLength(15);
  });

  test('beyond the limit are refused without a question to the database', async () => {
    await start({ WHARF_REFUSED_CREDENTIALS_PER_MINUTE: '1' });
    const tenant = await api.newTenant();
    expect((await show(wrong(tenant.key))).status).toBe(401);
    const owner = new Client({ connectionString: api.databaseUrl });
    await owner.connect();
    await owner.query('begin; lock table api_keys, operators, tenants in access exclusive mode');
    for (const key of [wrong(tenant.key), 'who_'.padEnd(47, 'x'), 'a.b.c']) expect((await show(key)).status).toBe(429);
    await owner.end();
  });
});

/** A request whose body never comes. */
function unfinished(key: string): ClientRequest {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'content-length': '1000' };
  const sent = request(`${api.url}/v1/servers`, { method: 'POST', headers });
  sent.on('error', () => undefined);
  sent.write('{');
  return sent;
}

function statusOf(sent: ClientRequest): Promise<number | undefined> {
  return new Promise((resolve) => sent.once('response', ({ statusCode }) => resolve(statusCode)));
}
