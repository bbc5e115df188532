import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { EventEmitter, once } from 'node:events';
import { until } from '#libs/testing';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { GatewayUnderTest, type TenantUnderTest } from './gateway.fixture.js';
import { bearer, openSession, post } from './keyed-requests.fixture.js';
import { legacy, modern, send, type Answer } from './requests.fixture.js';
import { listen, type Listening } from './surroundings.fixture.js';

let gateway: GatewayUnderTest;
let upstream: Listening;
let acme: TenantUnderTest;
const heard = new EventEmitter();

beforeAll(async () => {
  upstream = await listen((request, response) => {
    heard.emit('request', request.url);
    if (request.url?.startsWith('/hang') === true) {
      response.on('close', () => heard.emit('left', request.url));
      return;
    }
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ saw: request.url }));
  });
  gateway = await GatewayUnderTest.start({ WHARF_CALL_TIMEOUT_MS: '5000' });
  acme = await gateway.tenant('acme', { find: `${upstream.origin}/find`, hang: `${upstream.origin}/hang` });
  await gateway.allow(acme, upstream);
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

describe('with real clients', () => {
  test('a client of the 2025 era lists and calls tools in a session', async () => {
    const client = new LegacyClient({ name: 'agent', version: '1' });
    await client.connect(new LegacyTransport(new URL(acme.serverUrl), { requestInit: { headers: bearer(acme.key) } }));
    expect((await client.listTools()).tools.map((tool) => tool.name)).toEqual(['find', 'hang']);
    const result = await client.callTool({ name: 'find', arguments: { text: 'boots' } });
    expect(JSON.stringify(result.content)).toContain('/find?text=boots');
    await client.close();
  });

  test('a client of the 2026 era lists and calls the same tools without a session', async () => {
    const client = new ModernClient(
      { name: 'agent', version: '1' },
      { versionNegotiation: { mode: { pin: '2026-07-28' } } },
    );
    await client.connect(new ModernTransport(new URL(acme.serverUrl), { requestInit: { headers: bearer(acme.key) } }));
    expect((await client.listTools()).tools.map((tool) => tool.name)).toEqual(['find', 'hang']);
    const result = await client.callTool({ name: 'find', arguments: { text: 'boots' } });
    expect(JSON.stringify(result.content)).toContain('/find?text=boots');
    await client.close();
  });
});

describe('routing', () => {
  test('the tenant URL serves all servers under prefixed names, also with a trailing slash', async () => {
    const answer = await post(`${acme.url}/`, acme.key, modern('tools/list'));
    expect(answer.json.result.tools.map((tool: { name: string }) => tool.name)).toEqual([
      'orders__find',
      'orders__hang',
    ]);
  });

  test.each([
    '/t/nobody/mcp',
    '/t/nobody/orders/mcp',
    '/t/acme/unknown/mcp',
    '/t/acme',
    '/else',
    '//',
    '//t/acme/mcp',
    '/t/acme/%6dcp',
  ])('what does not exist is not found, word for word the same: %s', async (path) => {
    const answer = await send(`${gateway.origin}${path}`, { ...modern('tools/list') });
    expect(answer.status).toBe(404);
    expect(answer.text).toContain('Nothing was found here.');
  });

  test('a tenant without servers serves an empty list', async () => {
    const empty = await gateway.tenant('empty', {});
    await gateway.control.asTenant(empty.id, (tx) =>
      tx.query(`update servers set live_release_id = null where tenant_id = $1`, [empty.id]),
    );
    const answer = await post(empty.url, empty.key, modern('tools/list'));
    expect(answer.json.result).toMatchObject({ tools: [], cacheScope: 'private' });
    expect((await send(empty.serverUrl, modern('tools/list'))).status).toBe(404);
  });

  test('a release that goes live is served to the calls that follow, and sessions stay on theirs', async () => {
    const tenant = await gateway.tenant('rolling', { first: `${upstream.origin}/a` });
    const session = await openSession(tenant.serverUrl, tenant.key);
    await gateway.publish(tenant.id, 'orders', { second: `${upstream.origin}/b` });
    await until(async () => {
      const answer = await post(tenant.serverUrl, tenant.key, modern('tools/list'));
      return answer.json.result.tools[0]?.name === 'second';
    }, 'the new release is served');
    const pinned = await post(tenant.serverUrl, tenant.key, legacy({ id: 2, method: 'tools/list' }, session));
    expect(pinned.json.result.tools.map((tool: { name: string }) => tool.name)).toEqual(['first']);
  });

  test.each([
    ['suspended', `status = 'suspended'`, 403, undefined, 'suspended'],
    ['leaving', `status = 'suspended', deletion_due_at = '2031-05-06Z'`, 403, undefined, 'to be deleted, and'],
    ['of another region', `home_region = 'us'`, 421, 'us', 'served by the region us alone'],
  ] as const)('a tenant that is %s is refused at once, and told why', async (is, change, status, region, why) => {
    const tenant = await gateway.tenant(is.replaceAll(' ', '-'), { find: `${upstream.origin}/find` });
    const list = () => post(tenant.url, tenant.key, modern('tools/list'));
    expect((await list()).status).toBe(200);
    await gateway.operators.asService((tx) => tx.query(`update tenants set ${change} where id = $1`, [tenant.id]));
    const answer = await until(async () => {
      const given = await list();
      return given.status !== 200 && given;
    }, 'a refusal');
    expect([answer.status, answer.json.error.data?.region]).toEqual([status, region]);
    expect(answer.json.error.message).toContain(why);
  });

  test('maintenance of a region stops the calls of its gateways alone', async () => {
    const here = await gateway.replica({ WHARF_REGION: 'eu' });
    const tenant = await gateway.tenant('maintained', { find: `${upstream.origin}/find` });
    const at = (origin: string): Promise<Answer> =>
      post(`${origin}${new URL(tenant.url).pathname}`, tenant.key, modern('tools/list'));
    expect((await at(here)).status).toBe(200);
    const begin = (region: string) =>
      gateway.operators.asService((tx) =>
        tx.query(
          `insert into region_maintenance (region, mode, message, reason, until)
           values ($1, 'everything', 'New disks.', 'disks', now() + interval '1 hour')`,
          [region],
        ),
      );
    await begin('eu');
    const refused = await until(async () => {
      const given = await at(here);
      return given.status === 503 && given;
    }, 'a refusal');
    expect(refused.json.error.message).toContain('The region eu is being maintained: New disks.');
    expect((await post(tenant.url, tenant.key, modern('tools/list'))).status).toBe(200);
    await gateway.operators.asService((tx) => tx.query(`delete from region_maintenance`));
    await until(async () => (await at(here)).status === 200, 'an answer');
  });
});

/** A call that hangs at its upstream until its client leaves, or its own deadline. */
async function hang(text: string): Promise<{ readonly leave: () => void; readonly ended: Promise<unknown> }> {
  const controller = new AbortController();
  const { headers, body } = modern('tools/call', { name: 'hang', arguments: { text } });
  const arrived = once(heard, 'request');
  const init = { method: 'POST', headers: { ...headers, ...bearer(acme.key) }, body, signal: controller.signal };
  const ended = fetch(acme.serverUrl, init).catch((error: unknown) => error);
  expect(await arrived).toEqual([`/hang?text=${text}`]);
  return { leave: () => controller.abort(), ended };
}

describe('cancellation', () => {
  test('M-17: a modern client that leaves cancels its call down to the upstream', async () => {
    // One that began earlier and goes on ends at its deadline: whatever is left before it was left for the client.
    const beside = await hang('beside');
    const call = await hang('abandoned');
    const left = once(heard, 'left');
    call.leave();
    await expect(call.ended).resolves.toMatchObject({ name: 'AbortError' });
    // And before a call is answered that began after the client had gone: nothing waits for a timer in between.
    const later = post(acme.serverUrl, acme.key, modern('tools/call', { name: 'find', arguments: {} }));
    expect(await Promise.race([left, later])).toEqual(['/hang?text=abandoned']);
    expect((await later).status).toBe(200);
    beside.leave();
    await gateway.audited(acme, (record) => record.outcome === 'cancelled');
  });

  test('M-17: what a client left has freed its slot, and sends its upstream nothing more', async () => {
    await gateway.operators.asService((tx) =>
      tx.query(`insert into plans (name, calls_per_minute, concurrent_calls, servers_max, worker_memory_mb)
        values ('single', 6000, 1, 5, 256)`),
    );
    const single = await gateway.tenant('single', { hang: `${upstream.origin}/hang/single` }, 'single');
    await gateway.allow(single, upstream);
    const seen: string[] = [];
    const note = (url: string): void => void (url.startsWith('/hang/single') && seen.push(url));
    heard.on('request', note);
    const controller = new AbortController();
    const [arrived, left] = [once(heard, 'request'), once(heard, 'left')];
    const { headers, body } = modern('tools/call', { name: 'hang', arguments: {} });
    const init = { method: 'POST', headers: { ...headers, ...bearer(single.key) }, body, signal: controller.signal };
    const call = fetch(single.serverUrl, init);
    await arrived;
    expect((await post(single.serverUrl, single.key, modern('tools/list'))).status).toBe(429);
    controller.abort();
    await expect(call).rejects.toThrow();
    await left;
    await gateway.audited(single, (record) => record.outcome === 'cancelled');
    expect((await post(single.serverUrl, single.key, modern('tools/list'))).status).toBe(200);
    heard.off('request', note);
    expect(seen).toHaveLength(1);
  });

  test('a client of the 2025 era that cancels ends its call down to the upstream', async () => {
    const session = await openSession(acme.serverUrl, acme.key);
    const beside = await hang('beside');
    const [left, arrived] = [once(heard, 'left'), once(heard, 'request')];
    const params = { name: 'hang', arguments: { text: 'cancelled' } };
    const answered = post(acme.serverUrl, acme.key, legacy({ id: 8, method: 'tools/call', params }, session));
    await arrived;
    const cancel = { method: 'notifications/cancelled', params: { requestId: 8, reason: 'enough' } };
    expect((await post(acme.serverUrl, acme.key, legacy(cancel, session))).status).toBe(202);
    expect(await left).toEqual(['/hang?text=cancelled']);
    beside.leave();
    expect((await answered).text).toBe('');
    await gateway.audited(acme, (record) => record.details['era'] === 'legacy' && record.outcome === 'cancelled');
  });

  test('a tool that hangs is ended at the call’s deadline, and the agent is told', async () => {
    const answer = await post(acme.serverUrl, acme.key, modern('tools/call', { name: 'hang', arguments: {} }, 'slow'));
    expect([answer.status, answer.json.id, answer.json.result.isError]).toEqual([200, 'slow', true]);
  });

  test('a client of the 2025 era that leaves does not cancel its call', async () => {
    const session = await openSession(acme.serverUrl, acme.key);
    const controller = new AbortController();
    const arrived = once(heard, 'request');
    const message = legacy({ id: 9, method: 'tools/call', params: { name: 'hang', arguments: {} } }, session);
    const call = fetch(acme.serverUrl, {
      method: 'POST',
      headers: { ...message.headers, ...bearer(acme.key) },
      body: message.body,
      signal: controller.signal,
    });
    await arrived;
    controller.abort();
    await expect(call).rejects.toThrow();
    await gateway.audited(
      acme,
      (record) =>
        record.details['era'] === 'legacy' && record.details['name'] === 'hang' && record.outcome === 'tool_error',
    );
  });
});

test('readiness names what the gateway stands on', async () => {
  expect(await gateway.service.readiness()).toEqual({
    ok: true,
    checks: { database: 'ok', redis: 'ok', runtime: 'ok', changes: 'ok' },
  });
});
