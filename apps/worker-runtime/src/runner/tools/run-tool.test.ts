import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Manifest, ToRunnerFrame } from '#libs/protocol';
import { RunnerProcess, type UpstreamFetch } from '../runner-process.fixture.js';
import { modern, THINGS } from '../serve/serve.fixture.js';

const SEARCH: Manifest['tools'][number] = {
  name: 'search',
  description: 'Searches.',
  inputSchema: {
    type: 'object',
    properties: {
      'x-trace': { type: 'string' },
      list: { type: 'array', items: { type: 'string' } },
      joined: { type: 'array', items: { type: 'string' } },
      deep: { type: 'object', properties: { a: { type: 'integer' } } },
      kind: { enum: ['small', 'large'] },
      owner: {
        type: 'object',
        properties: { name: { type: 'string', minLength: 1 } },
        required: ['name'],
        additionalProperties: false,
      },
    },
  },
  http: {
    method: 'GET',
    urlTemplate: 'https://api.example.com/search?fixed=1',
    placements: [
      { argument: 'x-trace', in: 'header', name: 'X-Trace' },
      { argument: 'list', in: 'query', name: 'list' },
      { argument: 'joined', in: 'query', name: 'joined', style: 'comma' },
      { argument: 'deep', in: 'query', name: 'deep', style: 'deep' },
      { argument: 'kind', in: 'query', name: 'kind' },
      { argument: 'owner', in: 'query', name: 'owner' },
    ],
    headers: { Accept: 'application/vnd.example+json' },
    credentials: [],
    timeoutMs: 5_000,
  },
};

let runner: RunnerProcess;
beforeAll(async () => {
  const tools = THINGS.tools.map((tool) =>
    tool.name === 'get_thing' ? { ...tool, inputSchema: withoutMirror(tool.inputSchema) } : tool,
  );
  const shaped = { ...SEARCH, name: 'shaped', http: { ...SEARCH.http, shape: 'items[*].id' } };
  runner = await RunnerProcess.serving({ '': { ...THINGS, tools: [...tools, SEARCH, shaped] } });
});
afterAll(() => runner.stop());

function withoutMirror(schema: Record<string, unknown>): Record<string, unknown> {
  return JSON.parse(JSON.stringify(schema).replace(',"x-mcp-header":"Thing"', ''));
}

/** The result of a call that never leaves. */
async function refused(name: string, args: unknown): Promise<string> {
  const { message, end } = await runner.ask(modern(1, 'tools/call', { name, arguments: args }));
  expect(end).toMatchObject({ t: 'done', outcome: 'tool_error' });
  expect(message.result.isError).toBe(true);
  return message.result.content[0]?.text ?? '';
}

/** Calls a tool, hands its upstream request to `answer`, and gives back both. */
async function call(
  name: string,
  args: unknown,
  answer: (fetch: UpstreamFetch) => void,
  options: { readonly deadlineMs?: number } = {},
) {
  const s = runner.post(modern(1, 'tools/call', { name, arguments: args }), options);
  const fetch = await runner.nextFetch();
  answer(fetch);
  const { message, end } = await runner.reply(s);
  return { fetch, end, result: message.result, text: message.result.content[0]?.text ?? '' };
}

function answering(
  status: number,
  body: string | Uint8Array,
  headers: Record<string, string> = { 'content-type': 'application/json' },
) {
  return (fetch: UpstreamFetch): void => runner.answerFetch(fetch, status, headers, body);
}

function failing(reason: Extract<ToRunnerFrame, { t: 'fetch-failed' }>['reason'], message = '') {
  return (fetch: UpstreamFetch): void => runner.send({ t: 'fetch-failed', f: fetch.header.f, reason, message });
}

describe('arguments', () => {
  test('that nobody knows are refused with the nearest name, and nothing is sent', async () => {
    const text = await refused('get_thing', { id: 'a', colou: 'red' });
    expect(text).toContain('unknown argument "colou". Did you mean "colour"?');
    expect(text).toContain('Arguments: id (string, required)');
  });

  test('of wrong types are all listed, each with its pointer', async () => {
    const text = await refused('search', { list: ['a', 1], kind: 'smal', owner: { name: '', age: 3 } });
    expect(text).toContain('/list/1: expected string, got integer.');
    expect(text).toContain('/kind: must be one of "small", "large". Did you mean "small"?');
    expect(text).toContain('/owner: unknown argument "age".');
    expect(text).toContain('/owner/name: must NOT have fewer than 1 characters.');
  });

  test('that are missing are named with what is expected', async () => {
    expect(await refused('get_thing', {})).toContain('"id" is missing; expected string.');
    expect(await refused('get_thing', undefined)).toContain('"id" is missing');
  });

  test.each([['..'], ['a/../b'], ['%2e%2e'], [''], ['a\u0000b'], ['..%2fadmin']])(
    'cannot change which resource the path names: %j',
    async (id) => {
      expect(await refused('get_thing', { id })).toContain('cannot be sent');
    },
  );

  test('cannot break out of a header', async () => {
    expect(await refused('search', { 'x-trace': 'a\r\nHost: evil' })).toContain('must not contain line breaks');
  });

  test('named __proto__ are refused', async () => {
    const message = JSON.stringify(modern(1, 'tools/call', { name: 'search', arguments: {} }));
    const { message: answer } = await runner.ask(
      message.replace('"arguments":{}', '"arguments":{"__proto__":{"a":1}}'),
    );
    expect(answer).toMatchObject({ error: { code: -32602, message: expect.stringContaining('__proto__') } });
  });

  test.each(['constructor', 'toString'])('named %s are unknown like any other', async (name) => {
    expect(await refused('search', { [name]: { a: 1 } })).toContain(`unknown argument "${name}"`);
  });
});

describe('the upstream request', () => {
  test('carries each argument in its place, encoded, and no header of its own but what the tool sets', async () => {
    const args = { 'x-trace': 't', list: ['a&b', 'c'], joined: ['d', 'e,f'], deep: { a: 1 }, owner: { name: 'ö' } };
    const { fetch } = await call('search', args, answering(200, '{}'));
    const query = 'fixed=1&list=a%26b&list=c&joined=d,e%2Cf&deep%5Ba%5D=1&owner=%7B%22name%22%3A%22%C3%B6%22%7D';
    expect(fetch.header.url).toBe(`https://api.example.com/search?${query}`);
    expect(fetch.header.headers).toEqual({
      accept: 'application/vnd.example+json',
      'user-agent': 'wharf',
      'x-trace': 't',
    });
  });

  test('writes body arguments as JSON', async () => {
    const { fetch } = await call('put_thing', { name: 'n' }, answering(201, '{"id":1}'));
    expect(fetch.header.headers['content-type']).toBe('application/json');
    expect(fetch.body).toBe('{"name":"n"}');
  });
});

describe('the result', () => {
  test('is structured where the tool promises so', async () => {
    const { result } = await call('put_thing', { name: 'n' }, answering(201, '{"id":1}'));
    expect(result).toMatchObject({ structuredContent: { id: 1 }, content: [{ type: 'text', text: '{"id":1}' }] });
  });

  test.each(['<html>no</html>', '[1]', '{"id":"x"}', ''])(
    'says that the call was done when the answer breaks the promise: %s',
    async (body) => {
      const { text, result } = await call('put_thing', { name: 'n' }, answering(201, body));
      expect(result.isError).toBe(true);
      expect(text).toContain('succeeded (HTTP 201); do not repeat it');
    },
  );

  test('of an upstream error shows status, advice and the upstream answer, cut', async () => {
    const { text, result, end } = await call('search', {}, answering(422, `{"message":"bad q"}${' '.repeat(20_000)}`));
    expect(end).toMatchObject({ outcome: 'tool_error' });
    expect(result.isError).toBe(true);
    expect(text).toMatch(/^GET api\.example\.com answered HTTP 422\. The upstream did not accept the arguments/);
    expect(text.length).toBeLessThan(5_000);
  });

  test('of a limit says how long to wait', async () => {
    const { text } = await call('search', {}, answering(429, '', { 'retry-after': '7' }));
    expect(text).toContain('Wait 7 seconds');
  });

  test('that calls itself JSON and is not says so', async () => {
    const { text, result } = await call('search', {}, answering(200, '{"items":[1,'));
    expect(result.isError).toBe(true);
    expect(text).toMatch(
      /succeeded \(HTTP 200\); do not repeat it .* calls itself JSON and is not[\s\S]*\{"items":\[1,$/,
    );
  });

  test('of a timeout names the time that was really given, not what the tool would have had', async () => {
    const deadline = { deadlineMs: Date.now() + 3_000 };
    const { fetch, text } = await call('search', {}, failing('timeout'), deadline);
    expect(fetch.header.timeoutMs).toBeLessThan(3_000);
    expect(text).toContain(`within its time limit of ${fetch.header.timeoutMs} ms`);
  });

  test('of an upstream error has no stack, also where JSON holds it', async () => {
    const stack = 'TypeError: no\n    at find (/srv/app/books.js:3:7)\n\tat com.shop.Books.find(Books.java:12)';
    const body = JSON.stringify({ message: 'bad q\nat least one', stack, code: 7 });
    const { text } = await call('search', {}, answering(400, body));
    expect(text).not.toMatch(/books\.js|Books\.java/);
    expect(text).toContain('bad q\\nat least one');
    expect(text).toContain('"code":7');
  });

  test('larger than the limit is cut between characters and says so', async () => {
    const { text, result } = await call(
      'search',
      {},
      answering(200, 'ä'.repeat(700_000), { 'content-type': 'text/plain' }),
    );
    expect(result.isError).toBeUndefined();
    expect(text).toContain('[Cut here: the first 1048576 of 1400000 bytes are shown.');
    expect(text).not.toContain('\ufffd');
  });

  test('is what its shape takes out of the answer, and says so where that is not possible', async () => {
    const { text } = await call('shaped', {}, answering(200, '{"items":[{"id":1,"x":2},{"id":3}],"more":true}'));
    expect(text).toBe('[1,3]');
    const other = await call('shaped', {}, answering(200, '<html>', { 'content-type': 'text/html' }));
    expect(other.result.isError).toBe(true);
    expect(other.text).toContain('but it is not JSON. It begins:\n<html>');
  });

  test('that is binary is a resource with its bytes and media type', async () => {
    const bytes = Buffer.from([0, 1, 255]);
    const { result } = await call('search', {}, answering(200, bytes, { 'content-type': 'application/pdf; x=1' }));
    const uri = expect.stringMatching(/^urn:sha256:[0-9a-f]{64}$/);
    const resource = { uri, mimeType: 'application/pdf', blob: 'AAH/' };
    expect(result).toMatchObject({ content: [{ type: 'resource', resource }] });
  });

  test.each([
    ['timeout', 'gave no complete answer within'],
    ['too_large', 'more than the platform'],
    ['blocked', 'was not sent: the platform'],
    ['no_credential', 'was not sent: a credential that it needs is missing'],
    ['open', 'was not sent: this upstream failed too often'],
    ['held', 'was not sent: the operator of the platform holds back'],
    ['busy', 'was not sent: too many requests'],
    ['untrusted', 'TLS certificate does not prove who it is. Do not retry'],
    ['connect', 'could not be reached'],
    ['broken_off', 'may still have been carried out'],
    ['invalid_response', 'not valid HTTP'],
  ] as const)('of a request that egress ends with %s says what to do, without a stack', async (reason, words) => {
    const { text, result } = await call('search', {}, failing(reason));
    expect([result.isError, text]).toEqual([true, expect.stringContaining(words)]);
    expect(text).not.toMatch(/\bat .*\.js/);
  });
});
