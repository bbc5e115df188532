import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Database } from '#libs/database';
import { EventEmitter, once } from 'node:events';
import { request as httpRequest, type ClientRequest } from 'node:http';
import { until } from '#libs/testing';
import { GatewayUnderTest, type TenantUnderTest } from './gateway.fixture.js';
import { INITIALIZE, legacy, modern, send, type Answer } from './requests.fixture.js';
import { listen, type Listening } from './surroundings.fixture.js';

let gateway: GatewayUnderTest;
let upstream: Listening;
const heard = new EventEmitter();

beforeAll(async () => {
  upstream = await listen((_request, response) => {
    heard.emit('request', () => response.setHeader('content-type', 'application/json').end('{}'));
  });
  gateway = await GatewayUnderTest.start();
  await gateway.operators.asService((tx) =>
    tx.query(`insert into plans (name, calls_per_minute, concurrent_calls, servers_max, worker_memory_mb)
      values ('slow', 3, 10, 1, 256), ('narrow', 1000, 1, 1, 256)`),
  );
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

function call(tenant: TenantUnderTest, message = modern('tools/list', {}, 5)): Promise<Answer> {
  return send(tenant.serverUrl, { headers: { ...message.headers, 'x-api-key': tenant.key }, body: message.body });
}

function isUnread({ json }: Answer): boolean {
  return json.id === null && json.error?.data?.limit === 'plan.calls_per_minute';
}

test('a tenant’s calls in a minute are limited, another tenant’s go on, and the refusal says when to come back', async () => {
  const [slow, other] = [
    await gateway.tenant('slow', { find: `${upstream.origin}/a` }, 'slow'),
    await gateway.tenant('other', { find: `${upstream.origin}/a` }),
  ];
  const statuses = [await call(slow), await call(slow), await call(slow)].map(({ status }) => status);
  const refused = await call(slow);
  expect([...statuses, refused.status]).toEqual([200, 200, 200, 429]);
  // Of any minute: what was taken at once is free again when that minute is over, and not bit by bit before.
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(50);
  expect(refused.headers['ratelimit-policy']).toBe('"plan.calls_per_minute";q=3;w=60');
  expect([refused.json.id, refused.json.error.code]).toEqual([5, -31029]);
  const data = { limit: 'plan.calls_per_minute', quota: 3, window_seconds: 60 };
  const waits = { retry_after_seconds: Number(refused.headers['retry-after']) };
  expect(refused.json.error.data).toEqual({ ...data, ...waits });
  expect((await call(other)).status).toBe(200);
  expect(await gateway.audited(slow, ({ event }) => event === 'call.refused')).toMatchObject({
    outcome: 'rate_limited',
    target: expect.stringMatching(/^server:[0-9a-f-]{36}$/),
    details: expect.objectContaining({
      server: 'orders',
      method: 'tools/list',
      rule: 'plan.calls_per_minute',
      http_status: 429,
      rpc_code: -31029,
    }),
  });
});

test('who goes on calling is refused unread after twenty refusals in a second; others with the same URL are not', async () => {
  const tenant = await gateway.tenant('flooded', { find: `${upstream.origin}/a` }, 'slow');
  const { headers, body } = modern('tools/list', {}, 5);
  const flood = (): Promise<Answer[]> => Promise.all(Array.from({ length: 8 }, () => call(tenant)));
  const flooded = (): Promise<Answer> => until(async () => (await flood()).find(isUnread), 'an unread refusal');
  const other = await gateway.apiKey(tenant.id, ['mcp']);
  const unread = await flooded();
  const wait = unread.headers['retry-after'];
  expect([unread.status, Number(wait) > 0, unread.headers['ratelimit']]).toEqual([
    429,
    true,
    `"plan.calls_per_minute";r=0;t=${wait}`,
  ]);
  expect(unread.json.error).toMatchObject({ code: -31029, data: { limit: 'plan.calls_per_minute', quota: 3 } });
  const wrong = { ...headers, 'x-api-key': `${tenant.key.slice(0, -1)}${tenant.key.endsWith('A') ? 'B' : 'A'}` };
  const [read, stranger, nobody] = await Promise.all([
    call({ ...tenant, key: other.text }),
    send(tenant.serverUrl, { headers: wrong, body }),
    send(tenant.serverUrl, { headers, body }),
    flooded(),
  ]);
  expect([read.status, read.json.id, stranger.status, nobody.status]).toEqual([429, 5, 401, 401]);
});

test('calls at once are limited, and a slot is free again when a call has ended', async () => {
  const tenant = await gateway.tenant('narrow', { find: `${upstream.origin}/a` }, 'narrow');
  await gateway.allow(tenant, upstream);
  const running = call(tenant, modern('tools/call', { name: 'find', arguments: {} }));
  const [answer] = (await once(heard, 'request')) as [() => void];
  const full = await call(tenant);
  expect([full.status, full.headers['ratelimit-policy'], full.headers['ratelimit']]).toEqual([
    429,
    '"plan.concurrent_calls";q=1;qu="concurrent-requests"',
    '"plan.concurrent_calls";r=0;t=1',
  ]);
  answer();
  expect((await running).status).toBe(200);
  expect((await call(tenant)).status).toBe(200);
});

test('calls at once are counted for all gateways together', async () => {
  const tenant = await gateway.tenant('spread', { find: `${upstream.origin}/a` }, 'narrow');
  await gateway.allow(tenant, upstream);
  const replica = await gateway.replica();
  const elsewhere = (): Promise<Answer> => call({ ...tenant, serverUrl: `${replica}/t/spread/orders/mcp` });
  expect((await elsewhere()).status).toBe(200);
  const running = call(tenant, modern('tools/call', { name: 'find', arguments: {} }));
  const [answer] = (await once(heard, 'request')) as [() => void];
  expect((await elsewhere()).status).toBe(429);
  answer();
  expect((await running).status).toBe(200);
  await until(async () => (await elsewhere()).status === 200);
});

test('messages that are being sent are limited, so that slow large ones cannot fill the memory', async () => {
  const tenant = await gateway.tenant('sender', { find: `${upstream.origin}/a` }, 'narrow');
  const { headers, body } = modern('tools/list', {}, 5);
  // With route and key known, its slot is taken as soon as the gateway has its head, which `continue` says.
  expect((await call(tenant)).status).toBe(200);
  const begin = async (): Promise<ClientRequest> => {
    const slow = httpRequest(tenant.serverUrl, {
      method: 'POST',
      headers: { ...headers, 'x-api-key': tenant.key, expect: '100-continue' },
    });
    slow.on('error', () => undefined);
    slow.flushHeaders();
    await once(slow, 'continue');
    slow.write(body.slice(0, 10));
    return slow;
  };
  // A narrow plan too may send some at once, and one principal three quarters of them.
  const all = await Promise.all(Array.from({ length: 12 }, begin));
  const statuses: number[] = [];
  while (statuses.at(-1) !== 429 && statuses.length < 200) statuses.push((await call(tenant)).status);
  expect(statuses.at(-1)).toBe(429);
  const [slow, ...others] = all as [ClientRequest, ...ClientRequest[]]; // there are twelve
  const answered = once(slow, 'response');
  slow.end(body.slice(10));
  expect((await answered)[0].statusCode).toBe(200);
  expect((await call(tenant)).status).toBe(200);
  for (const other of others) other.destroy();
});

test('without Redis calls go on and are limited by each gateway alone, or are refused where the plan says so', async () => {
  const cut = await GatewayUnderTest.start({ REDIS_URL: 'redis://127.0.0.1:1' });
  await cut.operators.asService((tx) =>
    tx.query(
      `insert into plans (name, calls_per_minute, concurrent_calls, servers_max, worker_memory_mb) values ('slow', 3, 10, 1, 256)`,
    ),
  );
  const tenant = await cut.tenant('slow', { find: `${upstream.origin}/a` }, 'slow');
  const statuses = [await call(tenant), await call(tenant), await call(tenant), await call(tenant)].map(
    ({ status }) => status,
  );
  expect(statuses).toEqual([200, 200, 200, 429]);
  expect((await cut.service.readiness()).checks['redis']).toMatch(/^warning:/);
  await cut.operators.asService((tx) =>
    tx.query(
      `insert into plans (name, calls_per_minute, concurrent_calls, servers_max, worker_memory_mb, when_uncertain)
       values ('strict', 1000, 10, 1, 256, 'refuse')`,
    ),
  );
  const refused = await call(await cut.tenant('strict', { find: `${upstream.origin}/a` }, 'strict'));
  expect([refused.status, refused.headers['retry-after'], refused.json.id]).toEqual([503, '2', 5]);
  expect(refused.json.error.message).toMatch(/cannot be counted at the moment/);
  await cut.stop();
});

test('a used-up budget of the plan refuses calls until the next month, unless the plan serves beyond it', async () => {
  await gateway.operators.asService((tx) =>
    tx.query(`insert into plans (name, calls_per_minute, concurrent_calls, servers_max, worker_memory_mb,
        calls_per_month, bytes_per_month, egress_bytes_per_month, over_budget)
      values ('used-up', 1000, 10, 1, 256, 100, null, 50, 'refuse'), ('served', 1000, 10, 1, 256, 100, 5, 5, 'serve')`),
  );
  const [used, served] = [
    await gateway.tenant('used', { find: `${upstream.origin}/a` }, 'used-up'),
    await gateway.tenant('served', { find: `${upstream.origin}/a` }, 'served'),
  ];
  expect((await call(used)).status).toBe(200);
  const ledger = await Database.connect({ ...gateway.store, role: 'wharf_background', poolSize: 1 });
  const use = (tenant: TenantUnderTest, calls: number, reached: string, egress = 10) =>
    ledger.asTenant(tenant.id, (tx) =>
      tx.query(
        `insert into usage_months (tenant_id, month, calls, tool_ms, bytes, egress_bytes, reached)
         values ($1, date_trunc('month', now() at time zone 'utc'), $2, 0, 10, $4, $3)
         on conflict (tenant_id, month) do update set calls = $2, egress_bytes = $4, reached = $3`,
        [tenant.id, calls, reached, egress],
      ),
    );
  await use(served, 100, '{calls_per_month,bytes_per_month}');
  await use(used, 99, '{}');
  expect((await call(used)).status).toBe(200);
  // Gateways hear of it a moment after it is committed.
  const refusal = () =>
    until(async () => {
      const answer = await call(used);
      return answer.status !== 200 && answer;
    }, 'a refusal');
  await use(used, 99, '{egress_bytes_per_month}', 50);
  expect((await refusal()).json.error).toMatchObject({
    message: expect.stringContaining('egress_bytes_per_month'),
    data: { limit: 'plan.egress_bytes_per_month' },
  });
  await use(used, 99, '{}');
  await until(async () => (await call(used)).status === 200, 'room');
  await use(used, 100, '{calls_per_month}');
  await ledger.close();
  const refused = await refusal();
  const now = new Date();
  expect(refused.json.error).toMatchObject({ code: -31029, message: expect.stringContaining('calls_per_month') });
  expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(31 * 86_400);
  const month =
    (Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1) - Date.UTC(now.getUTCFullYear(), now.getUTCMonth())) / 1_000;
  for (const answer of [refused, await call(used, legacy({ ...INITIALIZE, id: 5 }))]) {
    expect([answer.status, answer.json.error.code, answer.json.id]).toEqual([429, -31029, 5]);
    const wait = answer.headers['retry-after'];
    expect(answer.headers['ratelimit']).toBe(`"plan.calls_per_month";r=0;t=${wait}`);
    // What the plan gives, and what was used of it, is the tenant's own to know.
    expect(answer.headers['ratelimit-policy']).toBeUndefined();
    expect(answer.json.error.data).toEqual({
      limit: 'plan.calls_per_month',
      window_seconds: month,
      refilled_at: new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1)).toISOString(),
      retry_after_seconds: Number(wait),
    });
  }
  expect((await call(served)).status).toBe(200);
});
