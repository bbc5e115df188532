import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { newId } from '#libs/database';
import { connectTestRedis, keysIn, until } from '#libs/testing';
import { GatewayUnderTest, type TenantUnderTest } from '../gateway.fixture.js';
import { INITIALIZE, legacy, send, within } from '../requests.fixture.js';

let gateway: GatewayUnderTest;
let acme: TenantUnderTest;
let globex: TenantUnderTest;

beforeAll(async () => {
  gateway = await GatewayUnderTest.start();
  acme = await gateway.tenant('acme', { find: 'https://api.example.com/find' });
  globex = await gateway.tenant('globex', { ship: 'https://api.example.com/ship' });
});

afterAll(() => gateway.stop());

function bearer(key: string): Record<string, string> {
  return { authorization: `Bearer ${key}` };
}

async function post(url: string, key: string, message: { headers: Record<string, string>; body: string }) {
  return send(url, { headers: { ...message.headers, ...bearer(key) }, body: message.body });
}

async function openSession(url: string, key: string): Promise<string> {
  const opened = await post(url, key, legacy(INITIALIZE));
  expect(opened.status).toBe(200);
  return String(opened.headers['mcp-session-id']);
}

describe('sessions', () => {
  test('M-25: are closed to every other principal and every other URL', async () => {
    const session = await openSession(acme.serverUrl, acme.key);
    const list = legacy({ id: 2, method: 'tools/list' }, session);
    const other = await gateway.apiKey(acme.id, ['mcp']);
    expect((await post(acme.serverUrl, acme.key, list)).status).toBe(200);
    const refused = [
      await post(acme.serverUrl, other.text, list),
      await post(acme.url, acme.key, list),
      await post(globex.serverUrl, globex.key, list),
      await post(acme.serverUrl, acme.key, legacy({ id: 2, method: 'tools/list' }, 'unknown')),
    ];
    expect(refused.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
    expect(new Set(refused.map(({ text }) => text)).size).toBe(1);
  });

  test('survive the loss of this gateway’s memory and of Redis, and end with DELETE', async () => {
    const tenant = await gateway.tenant('sessions', { find: 'https://api.example.com/find' });
    const [first, second] = [await openSession(tenant.url, tenant.key), await openSession(tenant.url, tenant.key)];
    const list = (id: string) => post(tenant.url, tenant.key, legacy({ id: 2, method: 'tools/list' }, id));
    const ended = await send(tenant.url, {
      method: 'DELETE',
      headers: { ...bearer(tenant.key), 'mcp-session-id': first },
    });
    expect(ended.status).toBe(200);
    expect((await list(first)).status).toBe(404);
    await gateway.restart();
    expect((await list(second)).status).toBe(200);
    await gateway.publish(tenant.id, 'orders', { seek: 'https://api.example.com/seek' });
    await gateway.restart();
    await gateway.redis.flush();
    const kept = await list(second);
    expect([kept.status, kept.text.includes('find')]).toEqual([200, true]);
    expect((await list(first)).status).toBe(404);
  });

  test('keep their id through a refresh of the token, and belong to one person with one client', async () => {
    const person = { sub: newId(), client_id: 'one' };
    const [first, refreshed, otherClient, otherPerson] = await Promise.all([
      gateway.token(acme, acme.url, person),
      gateway.token(acme, acme.url, { ...person, jti: 'refreshed' }),
      gateway.token(acme, acme.url, { ...person, client_id: 'two' }),
      gateway.token(acme, acme.url, { client_id: 'one' }),
    ]);
    expect(refreshed).not.toBe(first);
    const session = await openSession(acme.url, first);
    const list = legacy({ id: 2, method: 'tools/list' }, session);
    const answers = await Promise.all(
      [refreshed, otherClient, otherPerson].map((credential) => post(acme.url, credential, list)),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 404, 404]);
  });

  test('that nobody made, or that were altered, are unknown at once also while Redis is empty', async () => {
    const session = await openSession(acme.serverUrl, acme.key);
    await gateway.redis.flush();
    await gateway.restart();
    const altered = `${session.startsWith('A') ? 'B' : 'A'}${session.slice(1)}`;
    for (const id of [altered, session.slice(0, -4), 'x'.repeat(1_400)])
      expect((await post(acme.serverUrl, acme.key, legacy({ id: 2, method: 'tools/list' }, id))).status).toBe(404);
    expect((await post(acme.serverUrl, acme.key, legacy({ id: 2, method: 'ping' }, session))).status).toBe(200);
  });

  test('end after resting as long as the plan says, and beyond what it gives the tenant', async () => {
    await gateway.operators.asService((tx) =>
      tx.query(`insert into plans (name, calls_per_minute, concurrent_calls, servers_max, worker_memory_mb, sessions_max, session_idle_seconds)
        values ('few', 6000, 32, 5, 256, 3, 3)`),
    );
    const few = await gateway.tenant('few', { find: 'https://api.example.com/find' }, 'few');
    const { text: otherKey } = await gateway.apiKey(few.id, ['mcp']);
    const ping = (id: string, key: string) => post(few.url, key, legacy({ id: 2, method: 'ping' }, id));
    const oldest = await openSession(few.url, few.key);
    const others = [await openSession(few.url, otherKey), await openSession(few.url, otherKey)];
    const newest = await openSession(few.url, few.key);
    expect((await ping(oldest, few.key)).status).toBe(404);
    expect((await ping(newest, few.key)).status).toBe(200);
    const redis = await connectTestRedis(gateway.redis.redisUrl);
    await until(async () => (await keysIn(redis, `session:{${few.id}}:*`)).length === 0, 'the sessions’ end');
    redis.disconnect();
    for (const id of others) expect((await ping(id, otherKey)).status).toBe(404);
  });

  test.each(['a revoked key', 'an expired token'])('a stream that was opened with %s ends soon', async (what) => {
    const key = await gateway.apiKey(acme.id, ['mcp']);
    const credential = what === 'a revoked key' ? key.text : await gateway.token(acme, acme.url, {}, 1);
    const session = await openSession(acme.url, credential);
    const headers = { ...bearer(credential), accept: 'text/event-stream', 'mcp-session-id': session };
    const [stream] = (await once(get(acme.url, { headers, agent: false }), 'response')) as [IncomingMessage];
    expect(stream.statusCode).toBe(200);
    await gateway.control.asTenant(acme.id, (tx) =>
      tx.query(`update api_keys set revoked_at = now() where id = $1`, [key.id]),
    );
    // A token that has expired is taken for five seconds more, for clocks that differ.
    await within(30_000, once(stream.resume(), 'end'));
  });

  test('that others of the same principal ended do not count against the one in use', async () => {
    const kept = await openSession(acme.serverUrl, acme.key);
    for (let ended = 0; ended < 101; ended += 1) {
      const id = await openSession(acme.serverUrl, acme.key);
      await send(acme.serverUrl, { method: 'DELETE', headers: { ...bearer(acme.key), 'mcp-session-id': id } });
    }
    expect((await post(acme.serverUrl, acme.key, legacy({ id: 2, method: 'tools/list' }, kept))).status).toBe(200);
  });

  test('opened at once beyond a hundred end only those that were unused for longest', async () => {
    const { text: key } = await gateway.apiKey(acme.id, ['mcp']);
    const open = () => openSession(acme.serverUrl, key);
    const opened: string[] = [];
    while (opened.length < 100) opened.push(...(await Promise.all(Array.from({ length: 10 }, open))));
    const newest = await Promise.all(Array.from({ length: 8 }, open));
    const left: string[] = [];
    for (const id of [...opened, ...newest]) {
      const { status } = await post(acme.serverUrl, key, legacy({ id: 2, method: 'tools/list' }, id));
      if (status === 200) left.push(id);
    }
    expect(left).toHaveLength(100);
    expect(left).toEqual(expect.arrayContaining(newest));
  });

  test('M-25: are required for all but the handshake', async () => {
    const answer = await post(acme.url, acme.key, legacy({ id: 2, method: 'tools/list' }));
    expect([answer.status, answer.json.id]).toEqual([400, 2]);
  });

  test('M-06: a notification is accepted without a body', async () => {
    const session = await openSession(acme.url, acme.key);
    const answer = await post(acme.url, acme.key, legacy({ method: 'notifications/initialized' }, session));
    expect([answer.status, answer.text]).toEqual([202, '']);
  });
});
