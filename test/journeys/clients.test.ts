import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connectAgent, connectWithApiKey, startUpstream, type AgentProtocol, type Upstream } from '#libs/journey';
import { startWharf, type Wharf } from '#libs/testing';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { openTestShop, type TestShop } from './shop.js';
import { V1Provider } from './v1-provider.js';

let wharf: Wharf;
let upstream: Upstream;
let shop: TestShop;
beforeAll(async () => {
  [wharf, upstream] = await Promise.all([startWharf(), startUpstream()]);
  shop = await openTestShop(wharf, upstream, 'clients');
});
afterAll(async () => {
  await Promise.all([wharf?.stop(), upstream?.stop()]);
});

describe('the official v1 client', () => {
  test('signs in knowing nothing but the URL, holds a session, lists and calls tools', async () => {
    const provider = new V1Provider(shop.owner);
    const transport = (): StreamableHTTPClientTransport =>
      new StreamableHTTPClientTransport(new URL(shop.serverUrl), { authProvider: provider });
    const first = transport();
    await expect(new Client({ name: 'v1', version: '1' }).connect(first as never)).rejects.toThrow(UnauthorizedError);
    await first.finishAuth(provider.callback?.searchParams.get('code') ?? '');

    const client = new Client({ name: 'v1', version: '1' });
    const second = transport();
    await client.connect(second as never);
    const { tools } = await client.listTools();
    const called = await client.callTool({ name: 'getBook', arguments: { id: 1 } });
    expect(second.sessionId).toMatch(/^[\x21-\x7E]{16,}$/);
    expect(second.protocolVersion).toBe('2025-11-25');
    expect(tools.map((tool) => tool.name)).toContain('getBook');
    expect(JSON.stringify(called.content)).toContain('The Dispossessed');
    await client.ping();
    await second.terminateSession();
    await client.close();
  });
});

describe('the official v2 client', () => {
  const versions = { default: '2025-11-25', auto: '2026-07-28', '2026-07-28': '2026-07-28' } as const satisfies Record<
    AgentProtocol,
    string
  >;

  test.each(Object.entries(versions) as Array<[AgentProtocol, string]>)(
    'in mode %s signs in and speaks %s',
    async (protocol, version) => {
      const agent = await connectAgent({ url: shop.serverUrl, protocol, ...shop.owner });
      const { tools } = await agent.client.listTools();
      const called = await agent.client.callTool({ name: 'getBook', arguments: { id: 1 } });
      expect(agent.client.getNegotiatedProtocolVersion()).toBe(version);
      expect(tools.map((tool) => tool.name)).toContain('listBooks');
      expect(JSON.stringify(called.content)).toContain('The Dispossessed');
      await agent.close();
    },
  );

  test('sees every server at the tenant URL, each tool with its server’s prefix', async () => {
    const agent = await connectWithApiKey({ url: shop.tenantUrl, apiKey: shop.apiKey.text, protocol: 'auto' });
    const { tools } = await agent.client.listTools();
    const called = await agent.client.callTool({ name: 'books__getBook', arguments: { id: 2 } });
    expect(tools.every((tool) => tool.name.startsWith('books__'))).toBe(true);
    expect(called.isError ?? false).toBe(false);
    await agent.close();
  });

  test('keeps its session on the release it began with, while new ones meet the new release', async () => {
    const old = await connectWithApiKey({ url: shop.serverUrl, apiKey: shop.apiKey.text });
    const before = (await old.client.listTools()).tools.length;
    const { release } = await shop.api.createRelease('books', {
      kind: 'openapi',
      document: upstream.openapi,
      select: { operationIds: ['getBook'] },
    });
    await shop.api.publish('books', release.id, 'breaking is meant');
    const fresh = await connectWithApiKey({ url: shop.serverUrl, apiKey: shop.apiKey.text });
    expect((await fresh.client.listTools()).tools.map((tool) => tool.name)).toEqual(['getBook']);
    expect((await old.client.listTools()).tools).toHaveLength(before);
    await shop.api.rollback('books');
    const back = await connectWithApiKey({ url: shop.serverUrl, apiKey: shop.apiKey.text });
    expect((await back.client.listTools()).tools).toHaveLength(before);
    await Promise.all([old.close(), fresh.close(), back.close()]);
  });
});
