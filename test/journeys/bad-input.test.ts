import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { callRaw, connectWithApiKey, OperatorApi, signUp, WharfApi, type Agent } from '#libs/journey';
import { startWharf, type Wharf } from '#libs/testing';

/** Everything from outside that is wrong: the right status, what to correct, and nothing half-written. */
let wharf: Wharf;
let upstream: Server;
let api: WharfApi;
let key: string;
let agent: Agent;
const sockets = new Set<{ destroy(): void }>();

beforeAll(async () => {
  wharf = await startWharf();
  const port = await startMisbehaving();
  const person = { email: 'bad@example.com', password: 'correct horse battery' };
  const signedUp = await signUp(wharf.url, { tenantName: 'Bad input', slug: 'bad', ...person });
  key = signedUp.api_key.text;
  api = new WharfApi({ publicUrl: wharf.url, apiKey: key });
  const operator = new OperatorApi({ publicUrl: wharf.url, operatorKey: wharf.operatorKey });
  await operator.allowEgress('bad', '127.0.0.1', port, 'the test’s own upstream');
  await api.createServer('odd', 'Odd');
  const tool = (name: string, timeoutMs = 30_000) => ({
    name,
    description: `Asks for ${name}.`,
    inputSchema: { type: 'object', properties: { count: { type: 'integer', minimum: 1 } } },
    method: 'GET',
    url: `http://127.0.0.1:${port}/${name}`,
    timeoutMs,
  });
  const private_ = { ...tool('metadata'), url: 'http://169.254.169.254/latest/meta-data/' };
  const tools = [tool('hang', 500), tool('huge'), tool('garbage'), tool('fail'), tool('fine'), private_];
  const { release } = await api.createRelease('odd', { kind: 'http', tools });
  await api.publish('odd', release.id);
  agent = await connectWithApiKey({ url: `${wharf.url}/t/bad/odd/mcp`, apiKey: key, protocol: 'auto' });
});
afterAll(async () => {
  await agent?.close();
  for (const socket of sockets) socket.destroy();
  upstream?.close();
  await wharf?.stop();
});

async function startMisbehaving(): Promise<number> {
  upstream = createServer((request, response) => {
    switch (request.url) {
      case '/hang':
        return;
      case '/huge': {
        const chunk = Buffer.alloc(1024 * 1024, 'x');
        let left = 100;
        const more = (): void => {
          if (left === 0 || response.destroyed) return void response.end();
          left -= 1;
          response.write(chunk, more);
        };
        return more();
      }
      case '/garbage':
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(Buffer.from([0xff, 0xfe, 0x00, 0x7b, 0x22]));
        return;
      case '/fail':
        response.writeHead(500).end('Error: at Database.query (/srv/app/secret-path.js:1:1)');
        return;
      default:
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"fine":true}');
    }
  });
  upstream.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const address = upstream.address();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

async function manage(path: string, init: RequestInit): Promise<{ status: number; problem: Record<string, unknown> }> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...init.headers };
  const answer = await fetch(`${wharf.url}${path}`, { ...init, headers });
  return { status: answer.status, problem: (await answer.json()) as Record<string, unknown> }; // a problem document
}

const nested = `${'{"a":'.repeat(200)}1${'}'.repeat(200)}`;
const servers = async (): Promise<number> => (await api.servers()).length;

function statusAt(path: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(`${wharf.url}${path}`, { headers: { host }, agent: false }, (response: IncomingMessage) => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', reject);
  });
}

test('a page whose name was made to lead here gets nothing, not even what needs no credentials', async () => {
  const paths = ['/', '/v1/openapi.json', '/auth/jwks', '/metrics', '/readyz', '/t/bad/odd/mcp'];
  const refused = await Promise.all(paths.map((path) => statusAt(path, 'rebound.example.com')));
  expect(refused).toEqual(paths.map(() => 403));
  const own = await Promise.all(
    ['localhost', '127.0.0.1', '[::1]:80'].map((host) => statusAt('/v1/openapi.json', host)),
  );
  expect(own).toEqual([200, 200, 200]);
});

describe('the management API', () => {
  test.each([
    ['malformed JSON', '{"slug":', 400],
    ['a wrong type', '{"slug":7,"name":"x"}', 400],
    ['an unknown field', '{"slug":"new","name":"x","admin":true}', 400],
    ['a slug that is no DNS label', '{"slug":"Not A Label","name":"x"}', 400],
    ['deep nesting', nested, 400],
    ['5 MB', JSON.stringify({ slug: 'new', name: 'x'.repeat(5_000_000) }), 413],
    ['a slug that is taken', '{"slug":"odd","name":"x"}', 409],
  ])('answers %s with what to correct and changes nothing', async (_, body, status) => {
    const before = await servers();
    const answer = await manage('/v1/servers', { method: 'POST', body });
    expect(answer.status).toBe(status);
    expect(answer.problem).toMatchObject({ status, title: expect.any(String), detail: expect.any(String) });
    expect(await servers()).toBe(before);
  });

  test('answers a foreign or malformed id like one that does not exist', async () => {
    const unknown = await manage('/v1/servers/odd/releases/0190b8a0-0000-7000-8000-000000000000', {});
    const malformed = await manage('/v1/servers/odd/releases/..%2f..%2fetc', {});
    expect([unknown.status, malformed.status]).toEqual([404, 404]);
    expect(malformed.problem).toEqual({ ...unknown.problem, request_id: expect.any(String) });
  });

  test('lists every problem of a bad document, each with its pointer', async () => {
    const answer = await manage('/v1/servers/odd/releases', {
      method: 'POST',
      body: JSON.stringify({
        source: {
          kind: 'openapi',
          document: {
            openapi: '3.1.0',
            info: { title: 't', version: '1' },
            paths: { '/a': { get: { responses: { 200: { $ref: '#/components/responses/Missing' } } } } },
          },
        },
      }),
    });
    expect(answer.status).toBe(422);
    expect(answer.problem['errors']).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ pointer: expect.stringMatching(/^\//), message: expect.any(String) }),
      ]),
    );
  });

  test('takes no key from a query', async () => {
    const answer = await fetch(`${wharf.url}/v1/tenant?api_key=${key}`);
    expect([400, 401]).toContain(answer.status);
  });
});

describe('the tenant URL', () => {
  const url = (): string => `${wharf.url}/t/bad/odd/mcp`;
  const post = (body: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(url(), {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: `Bearer ${key}`,
        ...headers,
      },
    });

  test.each<[string, string, number, Record<string, string>]>([
    ['malformed JSON', '{"jsonrpc":', 400, {}],
    ['deep nesting', `{"jsonrpc":"2.0","id":1,"method":"ping","params":${nested}}`, 400, {}],
    ['a batch', '[{"jsonrpc":"2.0","id":1,"method":"ping"}]', 400, { 'mcp-protocol-version': '2025-11-25' }],
    ['5 MB', JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping', params: { x: 'x'.repeat(5_000_000) } }), 413, {}],
  ])('answers %s as JSON-RPC with the right status', async (_, body, status, headers) => {
    const answer = await post(body, headers);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({
      jsonrpc: '2.0',
      error: { code: expect.any(Number), message: expect.any(String) },
    });
  });

  test('refuses what is no token, an unsigned token and an altered key alike, and says where to get one', async () => {
    for (const bearer of ['nonsense', 'eyJhbGciOiJub25lIn0.e30.', `${key.slice(0, -3)}AAA`]) {
      const answer = await callRaw({ url: url(), bearer, method: 'tools/list' });
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toContain('resource_metadata="');
    }
  });

  test('takes no key from a query', async () => {
    const answer = await fetch(`${url()}?api_key=${key}`, { method: 'POST', body: '{}' });
    expect([400, 401]).toContain(answer.status);
  });
});

describe('a tool', () => {
  const call = async (
    name: string,
    args: Record<string, unknown> = {},
  ): Promise<{ text: string; isError: boolean }> => {
    const result = await agent.client.callTool({ name, arguments: args });
    return { text: JSON.stringify(result.content), isError: result.isError === true };
  };

  test('that hangs is ended at its time limit', async () => {
    const result = await call('hang');
    expect(result).toMatchObject({ isError: true });
    expect(result.text).toContain('within its time limit of 500 ms');
  });

  test('whose upstream answers 100 MB is stopped at the limit', async () => {
    expect(await call('huge')).toMatchObject({ isError: true, text: expect.stringMatching(/large|MiB|bytes/i) });
  });

  test('whose upstream answers garbage says so, and the worker lives on', async () => {
    expect(await call('garbage')).toMatchObject({ isError: true, text: expect.stringContaining('calls itself JSON') });
    expect(await call('fine')).toMatchObject({ isError: false });
  });

  test('whose upstream fails tells the status and shows no stack or path', async () => {
    const result = await call('fail');
    expect(result).toMatchObject({ isError: true, text: expect.stringContaining('500') });
    expect(result.text).not.toMatch(/srv\/app|Database\.query/);
  });

  test('that reaches for a private address is refused', async () => {
    expect(await call('metadata')).toMatchObject({
      isError: true,
      text: expect.stringMatching(/address|allowed|refused|private/i),
    });
  });

  test('given wrong or unknown arguments lists what to correct and sends nothing', async () => {
    expect(await call('fine', { count: 'many' })).toMatchObject({
      isError: true,
      text: expect.stringContaining('count'),
    });
    expect(await call('fine', { cuont: 1 })).toMatchObject({ isError: true, text: expect.stringContaining('count') });
  });
});
