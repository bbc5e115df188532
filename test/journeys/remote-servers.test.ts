import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connectWithApiKey, OperatorApi, signUp, WharfApi } from '#libs/journey';
import { startWharf, type Wharf } from '#libs/testing';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

const CANARY = 'SECRET-canary-remote-4711';

let wharf: Wharf;
let apiKey: string;
let api: WharfApi;
const upstreams = new Map<string, { server: Server; port: number; readonly credentials: Set<string> }>();

/** Somebody's MCP server, which takes the tenant's secret alone. */
async function listen(name: string, port = 0): Promise<void> {
  const handler = createMcpHandler(() => {
    const mcp = new McpServer({ name, version: '1' });
    mcp.registerTool(
      'greet',
      { description: 'Greets.', inputSchema: z.object({ who: z.string() }), annotations: { readOnlyHint: true } },
      ({ who }) => ({ content: [{ type: 'text', text: `Hello ${who} from ${name}` }] }),
    );
    mcp.registerResource('page', `page://${name}`, {}, () => ({ contents: [{ uri: `page://${name}`, text: name }] }));
    return mcp;
  });
  const serve = toNodeHandler(handler);
  const credentials = new Set<string>();
  const server = createServer((request, response) => {
    credentials.add(request.headers.authorization ?? '');
    if (request.headers.authorization === `Bearer ${CANARY}`) void serve(request as never, response); // its types predate exactOptionalPropertyTypes
    else response.writeHead(401).end();
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  upstreams.set(name, { server, port: (server.address() as AddressInfo).port, credentials }); // it listens on TCP
}

function upstream(name: string): { server: Server; port: number; readonly credentials: Set<string> } {
  const found = upstreams.get(name);
  if (found === undefined) throw new Error(`no upstream ${name}`);
  return found;
}

async function stop(name: string): Promise<void> {
  const closed = new Promise((resolve) => upstream(name).server.close(resolve));
  upstream(name).server.closeAllConnections();
  await closed;
}

beforeAll(async () => {
  await Promise.all([listen('red'), listen('blue')]);
  wharf = await startWharf();
  const owner = { email: 'owner@remote.example', password: 'remote correct horse battery' };
  apiKey = (await signUp(wharf.url, { tenantName: 'Remote', slug: 'remote', ...owner })).api_key.text;
  api = new WharfApi({ publicUrl: wharf.url, apiKey });
  const operator = new OperatorApi({ publicUrl: wharf.url, operatorKey: wharf.operatorKey });
  for (const name of ['red', 'blue'])
    await operator.allowEgress('remote', '127.0.0.1', upstream(name).port, 'the test’s own');
  await api.putSecret('upstream', CANARY);
  await api.createServer('both', 'Both');
  const { release } = await api.createRelease('both', {
    kind: 'remote',
    upstreams: ['red', 'blue'].map((name) => ({
      name,
      url: `http://127.0.0.1:${upstream(name).port}/mcp`,
      auth: { kind: 'secret', secret: 'upstream' },
    })),
  });
  expect(release).toMatchObject({ kind: 'remote', tools: 2 });
  await api.publish('both', release.id);
});
afterAll(async () => {
  await wharf?.stop();
  await Promise.all([stop('red'), stop('blue')]);
});

test('two upstreams are one server in both eras, and one of them goes on when the other is gone', async () => {
  const agents = await Promise.all(
    (['default', 'auto'] as const).map((protocol) =>
      connectWithApiKey({ url: `${wharf.url}/t/remote/both/mcp`, apiKey, protocol }),
    ),
  );
  for (const { client } of agents) {
    const list = await client.listTools();
    expect(list.tools.map(({ name }) => name)).toEqual(['red__greet', 'blue__greet']);
    for (const name of ['red', 'blue'])
      expect((await client.callTool({ name: `${name}__greet`, arguments: { who: 'Ann' } })).content).toMatchObject([
        { text: `Hello Ann from ${name}` },
      ]);
    expect((await client.readResource({ uri: 'page://blue' })).contents).toMatchObject([{ text: 'blue' }]);
  }
  await stop('red');
  for (const { client } of agents) {
    const lost = await client.callTool({ name: 'red__greet', arguments: { who: 'Ann' } });
    expect(lost).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('it cannot be reached') }] });
    expect((await client.callTool({ name: 'blue__greet', arguments: { who: 'Ann' } })).isError).toBeUndefined();
    const left = await client.request({ method: 'tools/list', params: {} });
    expect(left.tools.map(({ name }) => name)).toEqual(['blue__greet']);
    expect(left._meta).toMatchObject({ 'wharf/unavailable': [{ server: 'both', upstream: 'red' }] });
  }
  await Promise.all(agents.map((agent) => agent.close()));
  await listen('red', upstream('red').port);
  expect([...upstream('blue').credentials]).toEqual([`Bearer ${CANARY}`]);
});

test('a release names every place of its upstreams that cannot be used', async () => {
  const refused = api.createRelease('both', {
    kind: 'remote',
    upstreams: [
      { name: 'inside', url: 'http://169.254.169.254/mcp' },
      { name: 'gone', url: 'http://127.0.0.1:9/mcp' },
    ],
  });
  await expect(refused).rejects.toMatchObject({ status: 422 });
  await expect(refused).rejects.toThrow(/upstreams\/0\/url|does not|not let/);
});
