import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connectWithApiKey, signUp, WharfApi, type AgentProtocol } from '#libs/journey';
import {
  GREETER,
  GREETER_PACKAGES,
  packBundle,
  startNpmRegistry,
  startWharf,
  until,
  type NpmRegistry,
  type Wharf,
} from '#libs/testing';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { SERVERS } from './bundles.fixture.js';

type Kind = keyof typeof SERVERS;

let registry: NpmRegistry;
let wharf: Wharf;
let api: WharfApi;
let apiKey: string;
const digests = new Map<Kind, string>();

beforeAll(async () => {
  registry = await startNpmRegistry(GREETER_PACKAGES);
  wharf = await startWharf({ environment: { WHARF_REGISTRY_URL: registry.url } });
  const owner = { email: 'owner@bundles.example', password: 'bundles correct horse battery' };
  apiKey = (await signUp(wharf.url, { tenantName: 'Bundles', slug: 'bundles', ...owner })).api_key.text;
  api = new WharfApi({ publicUrl: wharf.url, apiKey });
  for (const kind of ['dual', 'legacy'] as const) {
    const digest = await api.uploadArtefact('application/zip', new Uint8Array(packBundle(SERVERS[kind])));
    digests.set(kind, digest);
    await api.createServer(kind, `Bundle ${kind}`);
    await api.allowWrites(kind);
    const { release } = await api.createRelease(kind, { kind: 'bundle', artefact: digest });
    expect(release).toMatchObject({ kind: 'bundle', tools: 7 });
    await api.publish(kind, release.id);
  }
});
afterAll(async () => {
  await wharf?.stop();
  await registry?.stop();
});

const urlOf = (kind: Kind): string => `${wharf.url}/t/bundles/${kind}/mcp`;
const connect = (kind: Kind, protocol: AgentProtocol = 'auto') =>
  connectWithApiKey({ url: urlOf(kind), apiKey, protocol });
const textOf = (result: { content: unknown }): string => (result.content as Array<{ text: string }>)[0]?.text ?? '';

describe.each(['dual', 'legacy'] as const)('a bundled %s server', (kind) => {
  test.each([
    ['default', '2025-11-25'],
    ['auto', '2026-07-28'],
  ] as const)('answers the v2 client in mode %s, which speaks %s', async (protocol, version) => {
    const agent = await connect(kind, protocol);
    expect(agent.client.getNegotiatedProtocolVersion()).toBe(version);
    const { tools } = await agent.client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['echo', 'slow', 'look', 'cancelled', 'refuse', 'spin', 'crash']);
    expect(tools[0]).toMatchObject({
      title: 'Echo',
      annotations: { readOnlyHint: true },
      outputSchema: { required: ['said'] },
    });
    const called = await agent.client.callTool({ name: 'echo', arguments: { text: 'hello' } });
    expect(called.structuredContent).toMatchObject({ said: 'hello' });
    await agent.close();
  });

  test('answers the v1 client', async () => {
    const client = new Client({ name: 'v1', version: '1' });
    const headers = { authorization: `Bearer ${apiKey}` };
    const transport = new StreamableHTTPClientTransport(new URL(urlOf(kind)), { requestInit: { headers } });
    await client.connect(transport as never); // its types predate exactOptionalPropertyTypes
    expect(client.getInstructions()).toBe('Echo first.');
    expect((await client.listTools()).tools).toHaveLength(7);
    const called = await client.callTool({ name: 'echo', arguments: { text: 'v1' } });
    expect(called.structuredContent).toMatchObject({ said: 'v1' });
    await transport.terminateSession();
    await client.close();
  });

  test.each(['default', 'auto'] as const)('passes progress and cancellation on (mode %s)', async (protocol) => {
    const agent = await connect(kind, protocol);
    const seen: unknown[] = [];
    const onprogress = (progress: unknown): unknown => seen.push(progress);
    const done = await agent.client.callTool({ name: 'slow', arguments: {} }, { onprogress });
    expect([textOf(done), seen]).toEqual(['"done"', [{ progress: 1, total: 2, message: 'half' }]]);
    const before = Number(textOf(await agent.client.callTool({ name: 'cancelled', arguments: {} })));
    const leaving = new AbortController();
    const slow = agent.client.callTool(
      { name: 'slow', arguments: { until: 'cancelled' } },
      { signal: leaving.signal, onprogress: () => leaving.abort() },
    );
    await expect(slow).rejects.toThrow();
    await until(
      async () => Number(textOf(await agent.client.callTool({ name: 'cancelled', arguments: {} }))) > before,
      'the server hears of it',
    );
    await agent.close();
  });
});

test('a protocol error of the server reaches its caller', async () => {
  const agent = await connect('dual');
  await expect(agent.client.callTool({ name: 'refuse', arguments: {} })).rejects.toMatchObject({ code: -32602 });
  await agent.close();
});

test('sessions have processes of their own, and a principal without one keeps its own', async () => {
  const [first, second] = [await connect('dual', 'default'), await connect('dual', 'default')];
  const calls = async (agent: typeof first): Promise<unknown> =>
    (await agent.client.callTool({ name: 'echo', arguments: {} })).structuredContent;
  expect([await calls(first), await calls(first), await calls(second)]).toEqual([
    { said: '', calls: 1 },
    { said: '', calls: 2 },
    { said: '', calls: 1 },
  ]);
  await Promise.all([first.close(), second.close()]);
});

test('a crash answers the calls in flight with what happened, and the next call meets a new process', async () => {
  const agent = await connect('dual', 'default');
  const slow = { name: 'slow', arguments: { until: 'cancelled' } };
  const { promise: isRunning, resolve: onprogress } = Promise.withResolvers<unknown>();
  const slowCall = agent.client.callTool(slow, { onprogress });
  await isRunning;
  const crashed = await agent.client.callTool({ name: 'crash', arguments: {} });
  expect(textOf(await slowCall)).toContain('The call may have run');
  expect(crashed.isError).toBe(true);
  expect(textOf(crashed)).toContain('"test-bundle", the bundled server behind this tool, stopped');
  const after = await agent.client.callTool({ name: 'echo', arguments: { text: 'back' } });
  expect(after.structuredContent).toEqual({ said: 'back', calls: 1 });
  await agent.client.callTool({ name: 'crash', arguments: {} });
  const waiting = await agent.client.callTool({ name: 'echo', arguments: {} });
  expect(textOf(waiting)).toMatch(/stopped several times in a row and is started again shortly\. Try again in 1 s\./);
  await agent.close();
});

test('a server that is caught in a loop is replaced once its caller has given up', async () => {
  const agent = await connect('dual', 'default');
  await expect(agent.client.callTool({ name: 'spin', arguments: {} }, { timeout: 200 })).rejects.toThrow();
  const answered = async (): Promise<boolean> => {
    const called = await agent.client.callTool({ name: 'echo', arguments: { text: 'new' } });
    return JSON.stringify(called.structuredContent) === '{"said":"new","calls":1}';
  };
  await until(answered, 'the new release answers');
  await agent.close();
});

test('a bundle reads nothing of the host, changes nothing of itself, reaches nobody and inherits nothing', async () => {
  const agent = await connect('dual');
  const looked = JSON.parse(textOf(await agent.client.callTool({ name: 'look', arguments: {} })));
  expect(looked).toEqual({
    passwd: 'ERR_ACCESS_DENIED',
    unbound: 'ENOENT\n',
    own: 'ERR_ACCESS_DENIED',
    home: 'kept',
    network: 'fetch failed',
    environment:
      'HOME HTTPS_PROXY HTTP_PROXY NODE_USE_ENV_PROXY NO_PROXY TMPDIR TZ http_proxy https_proxy no_proxy'.split(' '),
  });
  await agent.close();
});

test('the tenant URL serves bundles beside each other, with their prefixes', async () => {
  const agent = await connectWithApiKey({ url: `${wharf.url}/t/bundles/mcp`, apiKey, protocol: 'auto' });
  for (const name of ['dual__echo', 'legacy__echo']) {
    const called = await agent.client.callTool({ name, arguments: { text: name } });
    expect(called.structuredContent).toMatchObject({ said: name });
  }
  await agent.close();
});

test('a bundle that a release runs cannot be deleted', async () => {
  const answer = await fetch(`${wharf.url}/v1/artefacts/${digests.get('dual')}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${apiKey}` },
  });
  expect(answer.status).toBe(409);
});

describe('a package of npm', () => {
  const serverJson = {
    name: 'example.com/greeter',
    packages: [
      {
        registryType: 'npm',
        identifier: GREETER,
        version: '1.2.0',
        transport: { type: 'stdio' },
        packageArguments: [{ type: 'named', name: '--style', default: 'warm' }],
        environmentVariables: [
          { name: 'GREETING', isRequired: true },
          { name: 'TOKEN', isSecret: true },
        ],
      },
    ],
  };
  const config = { GREETING: 'hey', TOKEN: { secret: 'token' } };

  let before: unknown;

  test('is published, and called in both eras with its arguments, variables and secrets', async () => {
    before = await send('/v1/artefacts');
    await api.createServer('greeter', 'Greeter');
    await api.putSecret('token', 'SECRET-of-the-greeter');
    const { release, warnings } = await api.createRelease('greeter', { kind: 'npm', serverJson, config });
    expect([release.kind, release.tools, warnings]).toEqual(['npm', 1, []]);
    await api.publish('greeter', release.id);
    expect(await send(`/v1/servers/greeter/releases/${release.id}`)).toMatchObject({
      release: {
        package: { name: GREETER, version: '1.2.0', integrity: expect.stringMatching(/^sha512-/), packages: 2 },
      },
    });
    for (const protocol of ['default', 'auto'] as const) {
      const agent = await connectWithApiKey({ url: `${wharf.url}/t/bundles/greeter/mcp`, apiKey, protocol });
      expect(JSON.parse(textOf(await agent.client.callTool({ name: 'greet', arguments: {} })))).toEqual({
        word: 'hello',
        args: ['--style', 'warm'],
        GREETING: 'hey',
        TOKEN: '[redacted]',
      });
      await agent.close();
    }
  });

  test('that cannot be installed leaves nothing', async () => {
    const stored = await send('/v1/artefacts');
    const source = { kind: 'npm', package: GREETER, version: '9.9.9' };
    await expect(api.createRelease('greeter', source)).rejects.toThrow(`no version "${GREETER}@9.9.9"`);
    expect(await send('/v1/artefacts')).toEqual(stored);
    expect((await send('/v1/servers/greeter/releases')).releases).toHaveLength(1);
  });

  test('goes with its server, and what its build has packed with it', async () => {
    expect((await ask('/v1/servers/greeter', 'DELETE')).status).toBe(204);
    expect(await send('/v1/artefacts')).toEqual(before);
  });
});

const send = async (path: string) => (await (await ask(path)).json()) as { releases?: unknown };

function ask(path: string, method = 'GET'): Promise<Response> {
  return fetch(`${wharf.url}${path}`, { method, headers: { authorization: `Bearer ${apiKey}` } });
}
