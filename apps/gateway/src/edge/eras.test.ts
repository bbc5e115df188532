import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { GatewayUnderTest, type TenantUnderTest } from '../gateway.fixture.js';
import { INITIALIZE, legacy, modern, POST_HEADERS, send, type Answer } from '../requests.fixture.js';

let gateway: GatewayUnderTest;
let acme: TenantUnderTest;

beforeAll(async () => {
  gateway = await GatewayUnderTest.start({ WHARF_BASE_DOMAIN: 'wharf.test' });
  acme = await gateway.tenant('acme', { find: 'https://api.example.com/find' });
});

afterAll(() => gateway.stop());

function call(
  message: { headers?: Record<string, string>; body?: string | Buffer; method?: string },
  extra: Record<string, string> = {},
): Promise<Answer> {
  return send(acme.serverUrl, { ...message, headers: { 'x-api-key': acme.key, ...message.headers, ...extra } });
}

function without(headers: Record<string, string>, name: string): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name));
}

const CALL = modern('tools/call', { name: 'find', arguments: {} }, 'c1');
const LIST = modern('tools/list', {}, 7);

describe('2026 era: headers against the body', () => {
  test.each<[string, { headers: Record<string, string>; body: string }, number]>([
    [
      'M-07: the version header is missing',
      { ...LIST, headers: without(LIST.headers, 'mcp-protocol-version') },
      -32020,
    ],
    [
      'M-07: the version header differs',
      { ...LIST, headers: { ...LIST.headers, 'mcp-protocol-version': '2025-11-25' } },
      -32020,
    ],
    ['the method header is missing', { ...LIST, headers: without(LIST.headers, 'mcp-method') }, -32020],
    [
      'M-08: the method header differs',
      { ...LIST, headers: { ...LIST.headers, 'mcp-method': 'prompts/list' } },
      -32020,
    ],
    [
      'the method header differs in case',
      { ...LIST, headers: { ...LIST.headers, 'mcp-method': 'TOOLS/LIST' } },
      -32020,
    ],
    ['the name header is missing', { ...CALL, headers: without(CALL.headers, 'mcp-name') }, -32020],
    ['M-09: the name header differs', { ...CALL, headers: { ...CALL.headers, 'mcp-name': 'other' } }, -32020],
    [
      'M-10: the name header is badly encoded',
      { ...CALL, headers: { ...CALL.headers, 'mcp-name': '=?base64?Zmlu?ZA?=' } },
      -32020,
    ],
    [
      'M-13: the envelope is missing',
      { ...LIST, body: JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/list' }) },
      -32602,
    ],
    [
      'initialize comes with a modern version header',
      { headers: LIST.headers, body: JSON.stringify({ jsonrpc: '2.0', ...INITIALIZE }) },
      -32020,
    ],
  ])('refuses when %s', async (_, message, code) => {
    const answer = await call(message);
    expect([answer.status, answer.json.error.code]).toEqual([400, code]);
    expect(answer.json.id).toBe(JSON.parse(message.body).id);
  });

  test('M-11: a version that is not served is answered with those that are', async () => {
    const body = LIST.body.replace('2026-07-28', 'v999.0.0');
    const answer = await call({ headers: { ...LIST.headers, 'mcp-protocol-version': 'v999.0.0' }, body });
    expect([answer.status, answer.json.error.code, answer.json.error.data]).toEqual([
      400,
      -32022,
      { supported: ['2026-07-28'], requested: 'v999.0.0' },
    ]);
  });

  test.each(['tools/list', 'server/discover'])('%s is served', async (method) => {
    const answer = await call(modern(method));
    expect([answer.status, answer.json.result.resultType]).toEqual([200, 'complete']);
  });

  test.each(['initialize', 'ping', 'logging/setLevel', 'no/such'])(
    'M-12: a method that the era does not have is 404: %s',
    async (method) => {
      const answer = await call(modern(method, {}, 3));
      expect([answer.status, answer.json.error.code, answer.json.id]).toEqual([404, -32601, 3]);
    },
  );

  test('M-10: white space around header values and an encoded name are accepted', async () => {
    const spaced = await call({ ...CALL, headers: { ...CALL.headers, 'mcp-name': '  find  ' } });
    const encoded = await call({
      ...CALL,
      headers: { ...CALL.headers, 'mcp-name': `=?base64?${Buffer.from('find').toString('base64')}?=` },
    });
    expect([spaced.json.error, encoded.json.error]).toEqual([undefined, undefined]);
  });

  test('an unknown tool is an error of the message, not of HTTP', async () => {
    const answer = await call(modern('tools/call', { name: 'none', arguments: {} }));
    expect([answer.status, answer.json.error.code]).toEqual([200, -32602]);
  });

  test.each(['GET', 'DELETE'])('M-15: %s does not exist', async (method) => {
    const answer = await call({
      method,
      headers: { accept: 'text/event-stream', 'mcp-protocol-version': '2026-07-28' },
    });
    expect([answer.status, answer.headers['allow']]).toEqual([405, 'POST, GET, DELETE, OPTIONS']);
  });
});

describe('2025 era', () => {
  test('M-27: a version that is not served is refused', async () => {
    const message = legacy({ id: 1, method: 'tools/list' });
    expect((await call(message, { 'mcp-protocol-version': '1999-01-01' })).status).toBe(400);
  });

  test.each(['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'])(
    'the handshake is made in %s',
    async (version) => {
      const answer = await call(legacy({ ...INITIALIZE, params: { ...INITIALIZE.params, protocolVersion: version } }), {
        'mcp-protocol-version': version,
      });
      expect([answer.status, answer.json.result.protocolVersion]).toEqual([200, version]);
      expect(answer.headers['mcp-session-id']).toMatch(/^[\x21-\x7e]{22,}$/);
    },
  );

  test('a handshake that fails opens no session', async () => {
    const answer = await call(legacy({ id: 1, method: 'initialize', params: {} }));
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.headers['mcp-session-id']).toBeUndefined();
  });

  describe('batches', () => {
    const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
    const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' };
    const batch = (messages: unknown, headers: Record<string, string> = {}) =>
      call({ headers: { ...POST_HEADERS, ...headers }, body: JSON.stringify(messages) });

    async function session(protocolVersion = '2025-03-26'): Promise<Record<string, string>> {
      const params = { ...INITIALIZE.params, protocolVersion };
      const opened = await call(legacy({ ...INITIALIZE, params }));
      return { 'mcp-session-id': String(opened.headers['mcp-session-id']) };
    }

    test('of 2025-03-26 are answered message by message, whatever one of them comes to', async () => {
      const own = await session();
      const unknown = { jsonrpc: '2.0', id: 'two', method: 'tools/call', params: { name: 'none', arguments: {} } };
      const list = { jsonrpc: '2.0', id: 3, method: 'tools/list' };
      const answer = await batch([initialized, ping, unknown, list], own);
      expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json']);
      const answers: Array<{ id: unknown }> = JSON.parse(answer.text);
      expect(answers.toSorted((one, other) => String(one.id).localeCompare(String(other.id)))).toMatchObject([
        { id: 1, result: {} },
        { id: 3, result: { tools: [{ name: 'find' }] } },
        { id: 'two', error: { code: -32602 } },
      ]);
      expect((await batch([initialized, initialized], own)).status).toBe(202);
      expect((await batch([ping], { 'mcp-session-id': `${own['mcp-session-id']}x` })).status).toBe(404);
      expect((await batch([ping])).status).toBe(400);
    });

    test.each([{}, { 'mcp-protocol-version': '2025-03-26' }])(
      'of a session of a later revision are refused whatever their header says: %j',
      async (headers) => {
        const answer = await batch([ping, { ...ping, id: 2 }], { ...(await session('2025-11-25')), ...headers });
        expect(answer.status).toBe(400);
        const answers: Array<{ error?: { code: number; message: string } }> = JSON.parse(answer.text);
        expect(answers.map(({ error }) => [error?.code, error?.message.includes('2025-11-25')])).toEqual([
          [-32600, true],
          [-32600, true],
        ]);
      },
    );

    test.each<[string, unknown, string, Record<string, string>?]>([
      ['of a later revision', [ping], 'only protocol version 2025-03-26', { 'mcp-protocol-version': '2025-06-18' }],
      ['that open a session', [{ ...INITIALIZE, jsonrpc: '2.0' }], 'Send "initialize" alone'],
      ['with an id twice', [ping, ping], 'the same id'],
      ['of nothing', [], '1 to 16 messages'],
      ['of too many', Array.from({ length: 17 }, (_, id) => ({ ...ping, id })), '1 to 16 messages'],
      ['within batches', [[ping]], 'Message 0'],
      ['with no message in them', [ping, 7], 'Message 1'],
      ['with a name in capitals', [{ ...ping, Method: 'ping' }], 'lower case'],
    ])('%s are refused, and nothing of them is done', async (_, messages, told, headers = {}) => {
      const answer = await batch(messages, { ...(await session()), ...headers });
      expect([answer.status, answer.json.error.code]).toEqual([400, -32600]);
      expect(answer.json.error.message).toContain(told);
    });
  });

  test('listening needs a session', async () => {
    expect((await call({ method: 'GET', headers: { accept: 'text/event-stream' } })).status).toBe(400);
  });
});

describe('every message', () => {
  test.each<[string, Record<string, string>, number]>([
    ['does not accept a stream', { accept: 'application/json' }, 406],
    ['refuses JSON', { accept: 'application/json;q=0, text/event-stream' }, 406],
    ['is not JSON', { 'content-type': 'text/plain' }, 415],
    ['is compressed', { 'content-encoding': 'gzip' }, 415],
  ])('M-28: is refused when it %s', async (_, headers, status) => {
    expect((await call(LIST, headers)).status).toBe(status);
  });

  test('may accept anything', async () => {
    expect((await call(LIST, { accept: '*/*' })).status).toBe(200);
  });

  test.each<[string, string, number, number]>([
    ['cut off', '{"jsonrpc":', 400, -32700],
    ['empty', '', 400, -32700],
    ['not a message', '{"hello":"world"}', 400, -32600],
    ['nested too deep', `${'['.repeat(65)}${']'.repeat(65)}`, 400, -32600],
    ['nested 100,000 deep', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 400, -32600],
    ['of a million members', `[${'0,'.repeat(1_000_000)}0]`, 400, -32600],
    ['with a name twice in its arguments', '{"params":{"arguments":{"a":[{"b":1,"b":2}]}}}', 400, -32600],
    ['M-19: of 4 MiB and a byte', `"${'a'.repeat(4 * 1024 * 1024 - 1)}"`, 413, -32600],
  ])('is refused when its body is %s', async (_, body, status, code) => {
    const answer = await call({ headers: POST_HEADERS, body });
    expect([answer.status, answer.json.error.code, answer.json.id]).toEqual([status, code, null]);
  });

  test('with another HTTP method is refused', async () => {
    expect((await call({ method: 'PUT' })).status).toBe(405);
  });
});
