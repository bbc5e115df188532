import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ApiProblem, connectWithApiKey, OperatorApi, signUp, WharfApi, type Agent } from '#libs/journey';
import { packBundle, startWharf, type Wharf } from '#libs/testing';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CallToolResultSchema,
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
  PromptListChangedNotificationSchema,
  ResourceListChangedNotificationSchema,
  ResourceUpdatedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { MANIFEST, SERVER } from './third-party.fixture.js';

const TOKEN = 'SECRET-token-"quoted"-4711';
const PIN = 'SECRET-pin-0815';

let wharf: Wharf;
let api: WharfApi;
let apiKey: string;
let artefact: string;
let upstream: Server;
let unnamed: Server;
const reached: string[] = [];

const originOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // listening on TCP
const listening = async (name: string): Promise<Server> => {
  const server = createServer((request, response) => {
    reached.push(name);
    response.end(`${name} ${request.url}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
};

beforeAll(async () => {
  [upstream, unnamed] = [await listening('upstream'), await listening('unnamed')];
  wharf = await startWharf();
  const owner = { email: 'owner@third.example', password: 'third correct horse battery' };
  apiKey = (await signUp(wharf.url, { tenantName: 'Third', slug: 'third', ...owner })).api_key.text;
  api = new WharfApi({ publicUrl: wharf.url, apiKey });
  const operator = new OperatorApi({ publicUrl: wharf.url, operatorKey: wharf.operatorKey });
  for (const server of [upstream, unnamed])
    await operator.allowEgress('third', '127.0.0.1', (server.address() as AddressInfo).port, 'the test’s own');
  await api.putSecret('token', TOKEN);
  await api.putSecret('pin', PIN);
  artefact = await api.uploadArtefact('application/zip', new Uint8Array(packBundle(SERVER, MANIFEST, ['undici'])));
  await api.createServer('all', 'All');
  const { release } = await api.createRelease('all', source());
  await api.publish('all', release.id);
});
afterAll(async () => {
  await wharf.stop();
  for (const server of [upstream, unnamed]) server.close();
});

const source = (config: object = {}) => ({
  kind: 'bundle',
  artefact,
  origins: [originOf(upstream)],
  config: { token: { secret: 'token' }, pin: { secret: 'pin' }, retries: 3, folders: ['x', 'y'], ...config },
});
const url = (): string => `${wharf.url}/t/third/all/mcp`;
const textOf = (result: { content?: unknown }): string => (result.content as Array<{ text: string }>)[0]?.text ?? '';

async function withAgent<Found>(protocol: 'default' | 'auto', use: (agent: Agent) => Promise<Found>): Promise<Found> {
  const agent = await connectWithApiKey({ url: url(), apiKey, protocol });
  try {
    return await use(agent);
  } finally {
    await agent.close();
  }
}

const call = (name: string, given: Record<string, unknown> = {}): Promise<unknown> =>
  withAgent('default', async ({ client }) => JSON.parse(textOf(await client.callTool({ name, arguments: given }))));

describe('the way out', () => {
  test.each(['fetch', 'node', 'undici', 'undici fetch'])(
    'ordinary code reaches the origins of its release with %s',
    async (way) => {
      expect(await call('reach', { way, url: `${originOf(upstream)}/${encodeURIComponent(way)}` })).toBe(
        `200 upstream /${encodeURIComponent(way)}`,
      );
    },
  );

  test.each(['fetch', 'node', 'undici'])('and no other with %s', async (way) => {
    expect(await call('reach', { way, url: `${originOf(unnamed)}/` })).toMatch(/^(403|failed)/);
    expect(reached).not.toContain('unnamed');
  });

  test('nothing else leads out', async () => {
    const found = (await call('escape', { port: (unnamed.address() as AddressInfo).port })) as Record<string, string>;
    for (const [way, outcome] of Object.entries(found))
      expect([way, outcome]).toEqual([way, expect.stringMatching(/^(403|failed)/)]);
  });
});

describe('settings', () => {
  test('reach the server as its manifest maps them, and no secret comes back', async () => {
    const found = (await call('config')) as Record<string, unknown>;
    expect(found).toMatchObject({ token: '[redacted]', REGION: 'region-eu', RETRIES: '3', arguments: 'gone' });
    expect((found['pieces'] as string[]).join('')).toBe(TOKEN);
    expect(found['args']).toEqual(['--pin=[redacted]', 'x', 'y']);
    expect(found['LOUD']).toBeUndefined();
    expect(JSON.stringify(found['cmdlines'])).not.toMatch(/redacted|--pin/);
    expect(JSON.stringify(found['cmdlines'])).toContain('index.mjs');
    await expect(
      withAgent('auto', ({ client }) => client.callTool({ name: 'complain', arguments: {} })),
    ).rejects.toThrow('refused with [redacted]');
    expect(wharf.logs()).toContain('my token is [redacted]');
    expect(wharf.logs()).not.toMatch(/SECRET-(token|pin)/);
  });

  test.each([
    ['a sensitive value as it is', { token: 'plain' }, '/config/token', 'PUT /v1/secrets'],
    ['a setting that the bundle has not', { nothing: 1 }, '/config/nothing', 'no such setting'],
    ['a number that is none', { retries: 'many' }, '/config/retries', 'This is a number'],
    ['a number out of bounds', { retries: 10 }, '/config/retries', 'at most 9'],
    ['a list where there is one value', { region: ['a', 'b'] }, '/config/region', 'not a list'],
  ])('refuse %s', async (_what, config, pointer, sentence) => {
    const error: unknown = await api.createRelease('all', source(config)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ApiProblem);
    expect((error as ApiProblem).status).toBe(422);
    expect(JSON.stringify((error as ApiProblem).problem)).toContain(pointer);
    expect(JSON.stringify((error as ApiProblem).problem)).toContain(sentence);
  });
});

test('a result keeps the _meta of the server, in both eras', async () => {
  for (const protocol of ['default', 'auto'] as const) {
    const result = await withAgent(protocol, ({ client }) => client.callTool({ name: 'meta', arguments: {} }));
    expect(result._meta).toMatchObject({ 'example.com/cost': 7 });
  }
});

describe.each(['default', 'auto'] as const)('everything beside tools (mode %s)', (protocol) => {
  test('resources, prompts and completions are the server’s', async () => {
    await withAgent(protocol, async ({ client }) => {
      const first = await client.request({ method: 'resources/list', params: {} });
      expect(first.resources).toMatchObject([{ uri: 'note://one' }]);
      const second = await client.request({ method: 'resources/list', params: { cursor: first.nextCursor ?? '' } });
      expect([second.resources, second.nextCursor]).toMatchObject([[{ uri: 'note://two' }], undefined]);
      expect((await client.listResourceTemplates()).resourceTemplates).toMatchObject([{ uriTemplate: 'note://{id}' }]);
      expect((await client.readResource({ uri: 'note://7' })).contents).toMatchObject([{ uri: 'note://7' }]);
      await expect(client.readResource({ uri: 'other://7' })).rejects.toThrow('no such note');
      await expect(client.request({ method: 'resources/list', params: { cursor: 'x' } })).rejects.toMatchObject({
        code: -32602,
      });
      expect((await client.listPrompts()).prompts).toMatchObject([{ name: 'greet' }]);
      const prompt = await client.getPrompt({ name: 'greet', arguments: { who: 'Ann' } });
      expect(JSON.stringify(prompt.messages)).toContain('Greet Ann as greet');
      const ref = { type: 'ref/prompt' as const, name: 'greet' };
      const completed = await client.complete({ ref, argument: { name: 'who', value: 'Ver' } });
      expect(completed.completion.values).toEqual(['Verica']);
    });
  });
});

test('the tenant URL names prompts with their prefix, and finds resources by asking', async () => {
  const agent = await connectWithApiKey({ url: `${wharf.url}/t/third/mcp`, apiKey, protocol: 'auto' });
  expect((await agent.client.listPrompts()).prompts).toMatchObject([{ name: 'all__greet' }]);
  const prompt = await agent.client.getPrompt({ name: 'all__greet', arguments: { who: 'Ann' } });
  expect(JSON.stringify(prompt.messages)).toContain('Greet Ann as greet');
  expect((await agent.client.readResource({ uri: 'note://7' })).contents).toMatchObject([{ uri: 'note://7' }]);
  await agent.close();
});

describe('a server and the client of a 2025-era session', () => {
  let client: OldClient;
  let transport: StreamableHTTPClientTransport;
  const heard: unknown[] = [];
  beforeAll(async () => {
    client = new OldClient(
      { name: 'v1', version: '1' },
      { capabilities: { sampling: {}, elicitation: {}, roots: { listChanged: true } } },
    );
    client.setRequestHandler(CreateMessageRequestSchema, () => ({
      model: 'm',
      role: 'assistant',
      content: { type: 'text', text: 'hi' },
    }));
    client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: { name: 'Ann' } }));
    client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [{ uri: 'file:///work' }] }));
    for (const schema of [
      LoggingMessageNotificationSchema,
      PromptListChangedNotificationSchema,
      ResourceListChangedNotificationSchema,
      ResourceUpdatedNotificationSchema,
    ])
      client.setNotificationHandler(schema, (notification) => void heard.push(notification));
    const headers = { authorization: `Bearer ${apiKey}` };
    transport = new StreamableHTTPClientTransport(new URL(url()), { requestInit: { headers } });
    await client.connect(transport as never); // its types predate exactOptionalPropertyTypes
  });
  afterAll(async () => {
    await transport.terminateSession();
    await client.close();
  });
  const asked = async (name: string): Promise<unknown> =>
    JSON.parse(textOf(CallToolResultSchema.parse(await client.callTool({ name, arguments: {} }))));
  const untilHeard = async (part: string): Promise<void> => {
    while (!heard.some((notification) => JSON.stringify(notification).includes(part)))
      await new Promise((resolve) => setTimeout(resolve, 20));
  };

  test('it samples, elicits and asks for roots', async () => {
    expect(await asked('sample')).toMatchObject({ content: { text: 'hi' } });
    expect(await asked('elicit')).toEqual({ action: 'accept', content: { name: 'Ann' } });
    expect(await asked('roots')).toMatchObject({ roots: [{ uri: 'file:///work' }] });
  });

  test('it logs, from the level that the client asks for', async () => {
    await client.setLoggingLevel('error');
    await asked('log');
    await client.setLoggingLevel('debug');
    await asked('log');
    await untilHeard('careful');
    expect(heard.filter((notification) => JSON.stringify(notification).includes('careful'))).toHaveLength(1);
  });

  test('it hears of changed roots', async () => {
    await client.sendRootsListChanged();
    await untilHeard('roots changed');
  });

  test('it tells of changes, also after its process was replaced', async () => {
    await client.subscribeResource({ uri: 'note://one' });
    expect(JSON.stringify(await client.readResource({ uri: 'note://one' }))).toContain('note 1');
    await asked('touch');
    for (const method of ['resources/updated', 'resources/list_changed', 'prompts/list_changed'])
      await untilHeard(method);
    expect((await client.callTool({ name: 'crash', arguments: {} })).isError).toBe(true);
    expect(JSON.stringify(await client.readResource({ uri: 'note://one' }))).toContain('note 1');
  });

  test('a flood of notifications is cut, and the call is answered', async () => {
    heard.length = 0;
    expect(await asked('flood')).toBe('flooded');
    expect(heard.length).toBeLessThan(1_000);
  });
});

test('a client that can do nothing is asked for nothing: the server is told so', async () => {
  for (const protocol of ['default', 'auto'] as const)
    for (const name of ['sample', 'elicit', 'roots'])
      expect(
        await withAgent(protocol, ({ client }) =>
          client.callTool({ name, arguments: {} }).then((result) => textOf(result)),
        ),
      ).toMatch(/failed: (The client of this call does not offer what|CAPABILITY_NOT_SUPPORTED)/);
});

describe('processes', () => {
  const daemons = (agent: Agent): Promise<unknown> =>
    agent.client.callTool({ name: 'daemons', arguments: {} }).then((result) => JSON.parse(textOf(result)));

  test('what a server leaves behind is ended', async () => {
    await withAgent('default', async (agent) => {
      await agent.client.callTool({ name: 'daemon', arguments: {} });
      let left = 1;
      for (let asks = 0; asks < 500 && left > 0; asks += 1) left = Number(await daemons(agent));
      expect(left).toBe(0);
    });
  });

  test('a fork bomb stays inside, and its worker is soon as good as new', async () => {
    await withAgent('default', async (agent) => {
      await agent.client.callTool({ name: 'fork_bomb', arguments: {} }).catch(() => undefined);
    });
    const answered = async (): Promise<boolean> =>
      withAgent('default', async ({ client }) => {
        const result = await client.callTool({ name: 'meta', arguments: {} }, { timeout: 5_000 });
        return result.isError !== true;
      }).catch(() => false);
    let well = false;
    for (let asks = 0; asks < 60 && !well; asks += 1) well = await answered();
    expect(well).toBe(true);
  });
});
