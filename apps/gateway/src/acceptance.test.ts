import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { EventEmitter, once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { openStream } from './events.fixture.js';
import { GatewayUnderTest, type TenantUnderTest } from './gateway.fixture.js';
import { INITIALIZE, legacy, modern, POST_HEADERS, send, type Answer } from './requests.fixture.js';
import { listen, type Listening } from './surroundings.fixture.js';

/** Rows of the acceptance table of MCP endpoints that need a tool which was, or was not, run. */
let gateway: GatewayUnderTest;
let upstream: Listening;
let acme: TenantUnderTest;
let hits: string[] = [];
const held = new EventEmitter();

beforeAll(async () => {
  upstream = await listen((request, response) => {
    hits.push(request.url ?? '');
    if (request.url?.startsWith('/hold') === true) held.emit('request', response, request.url);
    else response.setHeader('content-type', 'application/json').end('{}');
  });
  gateway = await GatewayUnderTest.start({ WHARF_HEARTBEAT_MS: '2000' });
  acme = await gateway.tenant('acme', {
    safe: `${upstream.origin}/safe`,
    danger: `${upstream.origin}/danger`,
    hold: `${upstream.origin}/hold`,
  });
  await gateway.allow(acme, upstream);
});
afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});
beforeEach(() => {
  hits = [];
});

function call(
  message: { headers?: Record<string, string>; body?: string | Buffer; method?: string },
  extra: Record<string, string> = {},
): Promise<Answer> {
  return send(acme.serverUrl, { ...message, headers: { 'x-api-key': acme.key, ...message.headers, ...extra } });
}

const CALL = modern('tools/call', { name: 'safe', arguments: {} });

test.each(['https://evil.example', 'http://evil.example', 'null', 'https://evil.example/path'])(
  'M-01: the Origin %s is refused before credentials and body are looked at',
  async (origin) => {
    const answer = await send(acme.serverUrl, { headers: { origin }, body: '{' });
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([403, undefined]);
  },
);

test('M-05: a batch is refused, in the modern era too', async () => {
  const answer = await call({ ...CALL, body: `[${CALL.body}]` });
  expect([answer.status, answer.json.error.code, hits]).toEqual([400, -32600, []]);
});

describe('a tool is not run', () => {
  test('M-08: when the method header says something harmless', async () => {
    const answer = await call({ ...CALL, headers: { ...CALL.headers, 'mcp-method': 'tools/list' } });
    expect([answer.status, answer.json.error.code, hits]).toEqual([400, -32020, []]);
  });

  test('M-09: when the name header says another tool', async () => {
    const danger = modern('tools/call', { name: 'danger', arguments: {} });
    const answer = await call({ ...danger, headers: { ...danger.headers, 'mcp-name': 'safe' } });
    expect([answer.status, answer.json.error.code, hits]).toEqual([400, -32020, []]);
  });

  test.each([
    ['a method twice', `{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call"}`],
    ['a name twice', CALL.body.replace('"name":"safe"', '"name":"safe","name":"danger"')],
    ['"Method" beside "method"', CALL.body.replace('"method"', '"Method":"tools/list","method"')],
    ['"PARAMS"', CALL.body.replace('"params"', '"PARAMS"')],
    ['"Name" beside "name"', CALL.body.replace('"name":"safe"', '"name":"safe","Name":"danger"')],
  ])('M-29: when the message has %s', async (_, body) => {
    const answer = await call({ ...CALL, body });
    expect([answer.status, answer.json.error.code, hits]).toEqual([400, -32600, []]);
  });

  test.each(['null', '1.5', '{}', '[1]', 'true'])('M-18: when its id is %s', async (id) => {
    const answer = await call({ ...CALL, body: CALL.body.replace('"id":1', `"id":${id}`) });
    expect([answer.status, answer.json.error.code, hits]).toEqual([400, -32600, []]);
  });
});

test('M-18: the same id twice at once in one session is refused, and the first gets its own answer', async () => {
  const opened = await call(legacy(INITIALIZE));
  const session = String(opened.headers['mcp-session-id']);
  const ask = (): Promise<Answer> =>
    call(legacy({ id: 5, method: 'tools/call', params: { name: 'hold', arguments: {} } }, session));
  const arrived = once(held, 'request');
  const first = ask();
  const [response] = (await arrived) as [ServerResponse]; // emitted above
  const again = once(held, 'request').then(() => 'it ran');
  expect(await Promise.race([ask(), again])).toMatchObject({ status: 400, json: { id: 5, error: { code: -32600 } } });
  response.setHeader('content-type', 'text/plain').end('first');
  expect((await first).text).toContain('first');
});

test('M-16: a session id and a last event id mean nothing in the modern era', async () => {
  const answer = await call(CALL, { 'mcp-session-id': 'x', 'last-event-id': '7' });
  expect([answer.status, answer.headers['mcp-session-id'], hits.length]).toEqual([200, undefined, 1]);
});

test('M-06: a modern notification is accepted without a body', async () => {
  const { headers, body } = modern('notifications/cancelled', { requestId: 1 });
  const { id: _id, ...notification } = JSON.parse(body);
  const answer = await call({ headers, body: JSON.stringify(notification) });
  expect([answer.status, answer.text]).toEqual([202, '']);
});

test.each([
  [
    'an object of 300,000 members (4 MiB hold no million)',
    `{${Array.from({ length: 300_000 }, (_, at) => `"${at}":0`).join(',')}}`,
  ],
  ['a depth of 100,000', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
  ['4 MiB of an array', `[${'0,'.repeat(2 * 1024 * 1024 - 4)}0]`],
])('M-20: %s is refused before it is parsed', async (_, body) => {
  const before = process.memoryUsage().rss;
  const seconds: number[] = [];
  // The gateway shares this process with what earlier tests left to be collected: the least of three is its own.
  for (let at = 0; at < 3; at += 1) {
    const cpu = process.cpuUsage();
    const answer = await call({ headers: POST_HEADERS, body });
    const { user, system } = process.cpuUsage(cpu);
    expect([answer.status, answer.json.error.code]).toEqual([400, -32600]);
    seconds.push((user + system) / 1e6);
  }
  expect(Math.min(...seconds)).toBeLessThan(1);
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
});

test.each([
  ['that says how long it is', {}],
  ['that comes in chunks', { 'transfer-encoding': 'chunked' }],
])('M-19: a body of 4 MiB and a byte %s is refused as JSON-RPC, and none of it is kept', async (_, headers) => {
  const body = `"${'a'.repeat(4 * 1024 * 1024 - 1)}"`;
  const before = process.memoryUsage().rss;
  for (let at = 0; at < 40; at += 1) {
    const answer = await call({ headers: { ...POST_HEADERS, ...headers }, body });
    expect([answer.status, answer.json.error.code]).toEqual([413, -32600]);
  }
  // Forty of them are 160 MiB.
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
});

test('M-24: the tools are listed in the same order every time', async () => {
  const list = modern('tools/list');
  const [first, second] = [await call(list), await call(list)];
  expect(first.json.result.tools).toHaveLength(3);
  expect(second.json.result.tools).toEqual(first.json.result.tools);
});

test('M-26: a stream cannot be resumed with another session’s event id', async () => {
  const openSession = async (): Promise<string> => String((await call(legacy(INITIALIZE))).headers['mcp-session-id']);
  const [theirs, own] = [await openSession(), await openSession()];
  const arrived = once(held, 'request');
  const { headers, body } = legacy({ id: 6, method: 'tools/call', params: { name: 'hold', arguments: {} } }, theirs);
  const stream = await openStream(acme.serverUrl, { ...headers, 'x-api-key': acme.key }, body);
  const [response] = (await arrived) as [ServerResponse]; // emitted above
  const id = String((await stream.next())?.id);
  response.setHeader('content-type', 'text/plain').end('theirs alone');
  const resume = (session: string): Promise<Answer> =>
    call({ method: 'GET', headers: { accept: 'text/event-stream', 'mcp-session-id': session, 'last-event-id': id } });
  const refused = await resume(own);
  expect([refused.status, refused.text.includes('theirs alone')]).toEqual([400, false]);
  expect((await resume(`${own}x`)).status).toBe(404);
  expect((await resume(theirs)).text).toContain('theirs alone');
});

test('M-30: a mirrored header with a line break within or with a name that is no token is refused', async () => {
  for (const line of ['Mcp-Param-X: a\rb', 'Mcp-Param-\u00e9: a', 'Mcp-Param X: a']) {
    const text = await new Promise<string>((resolve, reject) => {
      const socket = connect(gateway.port, '127.0.0.1', () => {
        const { pathname } = new URL(acme.serverUrl);
        socket.write(
          `POST ${pathname} HTTP/1.1\r\nHost: localhost:${gateway.port}\r\n${line}\r\nContent-Length: 0\r\n\r\n`,
        );
      });
      let received = '';
      socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
      socket.on('close', () => resolve(received));
      socket.on('error', reject);
      socket.on('end', () => socket.end());
    });
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
  }
  expect(hits).toEqual([]);
});
