import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { EventEmitter, once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connectTestRedis, keysIn, until } from '#libs/testing';
import { openStream } from '../events.fixture.js';
import { GatewayUnderTest, type TenantUnderTest } from '../gateway.fixture.js';
import { INITIALIZE, legacy, modern, send } from '../requests.fixture.js';
import { listen, type Listening } from '../surroundings.fixture.js';

const heard = new EventEmitter();
let upstream: Listening;
let gateway: GatewayUnderTest;
let replica: string;
let acme: TenantUnderTest;

beforeAll(async () => {
  upstream = await listen((_request, response) => {
    response.on('close', () => heard.emit('left'));
    heard.emit('request', response);
  });
  gateway = await GatewayUnderTest.start({ WHARF_HEARTBEAT_MS: '50' });
  replica = await gateway.replica();
  acme = await gateway.tenant('acme', { wait: `${upstream.origin}/wait` });
  await gateway.allow(acme, upstream);
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

const bearer = () => ({ authorization: `Bearer ${acme.key}` });
const atReplica = () => acme.serverUrl.replace(gateway.origin, replica);

async function openSession(): Promise<string> {
  const { headers, body } = legacy(INITIALIZE);
  const opened = await send(acme.serverUrl, { headers: { ...headers, ...bearer() }, body });
  return String(opened.headers['mcp-session-id']);
}

const CALL = { id: 7, method: 'tools/call', params: { name: 'wait', arguments: {} } };

/** Starts a call in a session; its upstream has it and does not answer yet. */
async function startCall(session: string, version = '2025-11-25') {
  const arrived = once(heard, 'request') as Promise<[ServerResponse]>;
  const { headers, body } = legacy(CALL, session);
  const stream = await openStream(acme.serverUrl, { ...headers, ...bearer(), 'mcp-protocol-version': version }, body);
  expect([stream.response.statusCode, stream.response.headers['content-type']]).toEqual([200, 'text/event-stream']);
  const [answer] = await arrived;
  return { stream, answer };
}

function resumed(url: string, session: string, lastEventId: string, extra: Record<string, string> = {}) {
  const headers = { accept: 'text/event-stream', 'mcp-session-id': session, 'last-event-id': lastEventId };
  return openStream(url, { ...headers, ...bearer(), ...extra });
}

describe('streams', () => {
  test('live visibly, are not to be buffered or kept, and are not compressed', async () => {
    const session = await openSession();
    const { stream, answer } = await startCall(session);
    const { headers } = stream.response;
    expect(headers['content-type']).toBe('text/event-stream');
    expect(headers['x-accel-buffering']).toBe('no');
    expect(headers['cache-control']).toContain('no-cache');
    expect(headers['content-encoding']).toBeUndefined();
    expect(await stream.comment()).toBe(': keep-alive');
    answer.end('{}');
    stream.close();
  });

  test.each(['modern', 'legacy'] as const)('a call that is long in coming becomes one: %s', async (era) => {
    const arrived = once(heard, 'request') as Promise<[ServerResponse]>;
    const message = era === 'modern' ? modern('tools/call', CALL.params, 7) : legacy(CALL, await openSession());
    const stream = await openStream(
      acme.serverUrl,
      { ...message.headers, ...bearer(), 'accept-encoding': 'gzip, br' },
      message.body,
    );
    expect(stream.response.headers['content-encoding']).toBeUndefined();
    const [answer] = await arrived;
    expect(await stream.comment()).toBe(': keep-alive');
    answer.end('{"found":1}');
    const event = era === 'legacy' ? await stream.next() : undefined;
    const last = event?.data === '' || event === undefined ? await stream.next() : event;
    expect(JSON.parse(last?.data ?? '')).toMatchObject({ id: 7, result: { content: [{ text: '{"found":1}' }] } });
    expect(await stream.next()).toBeUndefined();
  });
});

describe('a stream that its client lost', () => {
  test('had no ids to go on after where its tenant is without the feature', async () => {
    const session = await openSession();
    const choose = (sql: string): Promise<unknown> =>
      gateway.control.asTenant(acme.id, (tx) => tx.query(sql, [acme.id]));
    await choose(`insert into tenant_feature_flags (tenant_id, flag, decided_by, enabled)
      values ($1, 'resumable_streams', 'tenant', false)`);
    const firstId = async (): Promise<string | undefined> => {
      const { stream, answer } = await startCall(session);
      answer.end('{}');
      const event = await stream.next();
      stream.close();
      return event?.id;
    };
    await until(async () => (await firstId()) === undefined, 'a stream without ids');
    await choose(`delete from tenant_feature_flags where tenant_id = $1`);
    await until(firstId, 'a stream with ids');
  });

  test('goes on at any gateway with the answer that came meanwhile', async () => {
    const session = await openSession();
    const { stream, answer } = await startCall(session);
    const primed = await stream.next();
    expect(primed?.data).toBe('');
    stream.close();
    const again = await resumed(atReplica(), session, String(primed?.id));
    expect(again.response.headers['content-type']).toBe('text/event-stream');
    answer.end('{"found":2}');
    const last = await again.next();
    expect(JSON.parse(last?.data ?? '')).toMatchObject({ id: 7, result: { content: [{ text: '{"found":2}' }] } });
    expect(last?.id).not.toBe(primed?.id);
    expect(await again.next()).toBeUndefined();
    const tooLate = await resumed(acme.serverUrl, session, String(last?.id));
    expect(await tooLate.next()).toBeUndefined();
  });

  test('begins without an empty event for agents that do not know one', async () => {
    const { stream, answer } = await startCall(await openSession(), '2025-06-18');
    answer.end('{}');
    const event = await stream.next();
    expect([event?.data === '', event?.id?.length]).toEqual([false, 19]);
  });

  test('M-26: is closed to other sessions and tenants, word for word alike; what is no id of ours is refused', async () => {
    const session = await openSession();
    const { stream, answer } = await startCall(session);
    const id = String((await stream.next())?.id);
    const other = await openSession();
    const globex = await gateway.tenant('globex', { wait: `${upstream.origin}/wait` });
    const { headers, body } = legacy(INITIALIZE);
    const opened = await send(globex.serverUrl, {
      headers: { ...headers, authorization: `Bearer ${globex.key}` },
      body,
    });
    const ask = (url: string, sessionId: string, key: string, lastEventId: string) =>
      send(url, {
        method: 'GET',
        headers: {
          accept: 'text/event-stream',
          'mcp-session-id': sessionId,
          'last-event-id': lastEventId,
          authorization: `Bearer ${key}`,
        },
      });
    const theirs = String(opened.headers['mcp-session-id']);
    const refused = [
      await ask(acme.serverUrl, other, acme.key, id),
      await ask(globex.serverUrl, theirs, globex.key, id),
      await ask(acme.serverUrl, other, acme.key, `${id.slice(0, 9)}x${id.slice(10)}`),
    ];
    expect(refused.map(({ status }) => status)).toEqual([400, 400, 400]);
    expect(new Set(refused.map(({ text }) => text)).size).toBe(1);
    expect((await ask(globex.serverUrl, session, globex.key, id)).status).toBe(404);
    for (const bad of ['x', `${id}.1`, id.replace(/^a/, 'o'), `${id}0000000000`])
      expect((await ask(acme.serverUrl, other, acme.key, bad)).status).toBe(400);
    answer.end('{}');
    stream.close();
  });

  test('is kept encrypted, under the tenant and the session alone, and within bounds', async () => {
    const session = await openSession();
    const { stream, answer } = await startCall(session);
    const id = String((await stream.next())?.id);
    stream.close();
    answer.end(JSON.stringify({ text: 'CANARY-A' }));
    const again = await resumed(acme.serverUrl, session, id);
    expect((await again.next())?.data).toContain('CANARY-A');
    const redis = await connectTestRedis(gateway.redis.redisUrl);
    const names = await keysIn(redis, `events:*`);
    expect(names.every((name) => /^events:\{[0-9a-f-]{36}:[\w-]{43}\}(:bytes)?$/.test(name))).toBe(true);
    for (const name of names.filter((key) => !key.endsWith(':bytes'))) {
      const rows = await redis.xrange(name, '-', '+');
      expect(JSON.stringify(rows)).not.toContain('CANARY-A');
      expect(JSON.stringify(rows)).not.toContain(session);
      expect(await redis.ttl(name)).toBeGreaterThan(0);
    }
    redis.disconnect();
  });

  test('whose answer is too large to be kept ends with an error for its request', async () => {
    const session = await openSession();
    const { stream, answer } = await startCall(session);
    const id = String((await stream.next())?.id);
    stream.close();
    answer.end(JSON.stringify({ text: 'x'.repeat(600_000) }));
    const again = await resumed(atReplica(), session, id);
    expect(JSON.parse((await again.next())?.data ?? '')).toMatchObject({ id: 7, error: { code: -32600 } });
  });
});
