import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { AUDIT_EVENTS } from '#libs/audit';
import { GatewayUnderTest } from './gateway.fixture.js';
import { modern, send, type Answer } from './requests.fixture.js';
import { listen, type Listening } from './surroundings.fixture.js';

let gateway: GatewayUnderTest;
let upstream: Listening;

beforeAll(async () => {
  upstream = await listen((request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ saw: request.url }));
  });
  gateway = await GatewayUnderTest.start();
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

function bearer(key: string): Record<string, string> {
  return { authorization: `Bearer ${key}` };
}

function post(url: string, key: string, message: { headers: Record<string, string>; body: string }): Promise<Answer> {
  return send(url, { headers: { ...message.headers, ...bearer(key) }, body: message.body });
}

test('a call is recorded with who, what, how long and how it ended, and without arguments or results', async () => {
  const tenant = await gateway.tenant('audited', { find: `${upstream.origin}/find` });
  await gateway.allow(tenant, upstream);
  const trace = '0af7651916cd43dd8448eb211c80319c';
  const message = modern('tools/call', { name: 'orders__find', arguments: { text: 'canary-argument' } });
  const answer = await send(tenant.url, {
    headers: { ...message.headers, ...bearer(tenant.key), traceparent: `00-${trace}-b7ad6b7169203331-01` },
    body: message.body,
  });
  const record = await gateway.audited(tenant, ({ event }) => event === 'call.completed');
  expect(record).toMatchObject({
    actor: { kind: 'api-key', id: tenant.keyId },
    target: expect.stringMatching(/^server:[0-9a-f-]{36}$/),
    outcome: 'ok',
    trace_id: trace,
    details: { method: 'tools/call', name: 'orders__find', tool: 'find', server: 'orders', era: 'modern' },
  });
  const { details } = record;
  expect(() => AUDIT_EVENTS['call.completed'].details.parse(details)).not.toThrow();
  expect(details).toMatchObject({
    release: { id: expect.stringMatching(/^[0-9a-f-]{36}$/), digest: expect.stringMatching(/^sha256:/) },
    arguments_digest: `sha256:${createHash('sha256').update('{"text":"canary-argument"}').digest('hex')}`,
    bytes_in: Buffer.byteLength(message.body),
    bytes_out: Buffer.byteLength(answer.text),
    http_status: 200,
  });
  const [whole, queue, worker, above] = ['duration_ms', 'queue_ms', 'worker_ms', 'upstream_ms'].map((name) =>
    Number(details[name]),
  ) as [number, number, number, number]; // as many as names
  expect(queue + worker).toBeCloseTo(whole, 0);
  expect(above).toBeLessThanOrEqual(Math.ceil(worker) + 1);
  expect(JSON.stringify(record)).not.toContain('canary-argument');
  const use = await gateway.audited(tenant, ({ event }) => event === 'api_key.used');
  expect(use.target).toBe(`api_key:${tenant.keyId}`);
  const keys: Array<{ last_used_at: Date | null }> = await gateway.control.asTenant(tenant.id, (tx) =>
    tx.query('select last_used_at from api_keys'),
  );
  expect(keys[0]?.last_used_at).not.toBeNull();
});

test('where the server says so, a record holds the redacted arguments and what the result is made of', async () => {
  const tenant = await gateway.tenant('telling', { find: `${upstream.origin}/find` });
  await gateway.allow(tenant, upstream);
  await gateway.control.asTenant(tenant.id, async (tx) => {
    await tx.query(`update servers set records_content = true where tenant_id = $1`, [tenant.id]);
  });
  const given = { text: 'boots', password: 'canary-word', deep: { api_key: 'canary-key' }, long: 'x'.repeat(300) };
  const message = modern('tools/call', { name: 'find', arguments: given });
  const answer = await post(tenant.serverUrl, tenant.key, message);
  expect(answer.status).toBe(200);
  const { details } = await gateway.audited(tenant, ({ event }) => event === 'call.completed');
  expect(details).toMatchObject({
    arguments: { text: 'boots', password: '[redacted]', deep: { api_key: '[redacted]' } },
    result: { is_error: true, content: [{ type: 'text', bytes: expect.any(Number) }] },
  });
  expect(String((details['arguments'] as { long: string }).long)).toMatch(/… \(44 more\)$/); // the record above
  expect(JSON.stringify(details)).not.toMatch(/canary|unknown argument/);
});

test('a record names the breaker that kept a tool from its upstream', async () => {
  const gone = await listen(() => undefined);
  const tenant = await gateway.tenant('kept-in', { find: `${gone.origin}/find` });
  await gateway.allow(tenant, gone);
  await gone.close();
  const message = modern('tools/call', { name: 'find', arguments: {} });
  for (let made = 0; made < 12; made += 1) await post(tenant.serverUrl, tenant.key, message);
  const record = await gateway.audited(tenant, ({ details }) => details['rule'] !== undefined);
  expect(record).toMatchObject({
    outcome: 'tool_error',
    details: { rule: `breaker:${gone.origin}`, http_status: 200 },
  });
});

test('a record of a protocol error has its code, and the reply waits for the commit where the plan says so', async () => {
  await gateway.operators.asService((tx) =>
    tx.query(
      `insert into plans (name, calls_per_minute, concurrent_calls, servers_max, worker_memory_mb, audit_mode)
       values ('committed', 1000, 10, 5, 256, 'database')`,
    ),
  );
  const tenant = await gateway.tenant('committed', { find: `${upstream.origin}/find` }, 'committed');
  const answer = await post(tenant.serverUrl, tenant.key, modern('tools/none', {}));
  const rows: Array<{ outcome: string; details: object }> = await gateway.control.asTenant(tenant.id, (tx) =>
    tx.query(`select outcome, details from audit_records where event = 'call.completed'`),
  );
  expect(rows).toMatchObject([
    { outcome: 'protocol_error', details: { rpc_code: -32601, http_status: answer.status } },
  ]);
});
