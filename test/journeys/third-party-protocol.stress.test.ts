import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connectWithApiKey } from '#libs/journey';
import { until } from '#libs/testing';
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
import { textOf, ThirdPartyStage } from './third-party-stage.fixture.js';

let stage: ThirdPartyStage;
beforeAll(async () => {
  stage = await ThirdPartyStage.open();
});
afterAll(() => stage?.close());

test('a result keeps the _meta of the server, in both eras', async () => {
  for (const protocol of ['default', 'auto'] as const) {
    const result = await stage.withAgent(protocol, ({ client }) => client.callTool({ name: 'meta', arguments: {} }));
    expect(result._meta).toMatchObject({ 'example.com/cost': 7 });
  }
});

describe.each(['default', 'auto'] as const)('everything beside tools (mode %s)', (protocol) => {
  test('resources, prompts and completions are the server’s', async () => {
    await stage.withAgent(protocol, async ({ client }) => {
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
  const agent = await connectWithApiKey({
    url: `${stage.wharf.url}/t/third/mcp`,
    apiKey: stage.apiKey,
    protocol: 'auto',
  });
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
    const headers = { authorization: `Bearer ${stage.apiKey}` };
    transport = new StreamableHTTPClientTransport(new URL(stage.url), { requestInit: { headers } });
    await client.connect(transport as never); // its types predate exactOptionalPropertyTypes
  });
  afterAll(async () => {
    await transport.terminateSession();
    await client.close();
  });
  const asked = async (name: string): Promise<unknown> =>
    JSON.parse(textOf(CallToolResultSchema.parse(await client.callTool({ name, arguments: {} }))));
  const untilHeard = (part: string): Promise<true> =>
    until(() => heard.some((notification) => JSON.stringify(notification).includes(part)), part);

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

/** The first event of a stream that is wanted, with its id. */
async function eventOf(stream: Response, wanted: RegExp): Promise<{ id: string; text: string }> {
  let text = '';
  for await (const chunk of stream.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    const event = text.split('\n\n').find((block) => wanted.test(block));
    if (event !== undefined) return { id: /^id: (.+)$/m.exec(event)?.[1] ?? '', text: event };
  }
  throw new Error(`the stream ended with ${text}`);
}

test('a session’s stream that its client lost goes on with what was said meanwhile', async () => {
  const headers: Record<string, string> = {
    authorization: `Bearer ${stage.apiKey}`,
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
    'mcp-protocol-version': '2025-11-25',
  };
  const say = (message: object) =>
    fetch(stage.url, { method: 'POST', headers, body: JSON.stringify({ jsonrpc: '2.0', ...message }) });
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } };
  const opened = await say({ id: 1, method: 'initialize', params });
  headers['mcp-session-id'] = String(opened.headers.get('mcp-session-id'));
  await say({ method: 'notifications/initialized' });
  const leaving = new AbortController();
  const first = await fetch(stage.url, { headers, signal: leaving.signal });
  const { id } = await eventOf(first, /^id: .+\n/);
  leaving.abort();
  const touched = await say({ id: 2, method: 'tools/call', params: { name: 'touch', arguments: {} } });
  expect(await touched.text()).toContain('"id":2');
  const leavingAgain = new AbortController();
  const again = await fetch(stage.url, { headers: { ...headers, 'last-event-id': id }, signal: leavingAgain.signal });
  const missed = await eventOf(again, /prompts\/list_changed/);
  expect(missed.id).not.toBe(id);
  leavingAgain.abort();
});

test('a client that can do nothing is asked for nothing: the server is told so', async () => {
  for (const protocol of ['default', 'auto'] as const)
    for (const name of ['sample', 'elicit', 'roots'])
      expect(
        await stage.withAgent(protocol, ({ client }) =>
          client.callTool({ name, arguments: {} }).then((result) => textOf(result)),
        ),
      ).toMatch(/failed: (The client of this call does not offer what|CAPABILITY_NOT_SUPPORTED)/);
});
