import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connectAgent, connectWithApiKey, startUpstream, type AgentProtocol, type Upstream } from '#libs/journey';
import { startWharf, type Wharf } from '#libs/testing';
import { UnauthorizedError } from '@modelcontextprotocol/client';
import { UnauthorizedError as UnauthorizedErrorV1 } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { openTestShop, type TestShop } from './shop.js';
import { V1Provider } from './v1-provider.js';

let wharf: Wharf;
let upstream: Upstream;
let shop: TestShop;
const WRITE = { name: 'createBook', arguments: { title: 'Piranesi', authorId: 2, year: 2020 } };

beforeAll(async () => {
  [wharf, upstream] = await Promise.all([startWharf(), startUpstream()]);
  shop = await openTestShop(wharf, upstream, 'stepping');
});
afterAll(async () => {
  await Promise.all([wharf?.stop(), upstream?.stop()]);
});

describe('an agent that may only read', () => {
  test.each<[AgentProtocol, string]>([
    ['default', '2025-11-25'],
    ['2026-07-28', '2026-07-28'],
  ])(
    '(v2 client, %s) asks its person for more when it wants to write, and goes on over the same connection',
    async (protocol, version) => {
      const agent = await connectAgent({ url: shop.serverUrl, protocol, ...shop.owner });
      expect([agent.client.getNegotiatedProtocolVersion(), agent.scope()]).toEqual([version, 'books:read']);
      expect((await agent.client.listTools()).tools.map(({ name }) => name)).toContain('createBook');
      await expect(agent.client.callTool(WRITE)).rejects.toThrow(UnauthorizedError);
      await agent.finishStepUp();
      expect(agent.scope().split(' ').sort()).toEqual(['books:read', 'books:write']);
      expect(JSON.stringify(await agent.client.callTool(WRITE))).toContain('Piranesi');
      expect(JSON.stringify(await agent.client.callTool({ name: 'getBook', arguments: { id: 1 } }))).toContain(
        'Dispossessed',
      );
      await agent.close();
    },
  );

  test('(v1 client) does likewise, in its session', async () => {
    const provider = new V1Provider(shop.owner, { grantTypes: ['authorization_code'] });
    const { client, transport: second } = await connectV1(provider, shop.serverUrl);
    const session = second.sessionId;
    expect(provider.tokens()?.scope).toBe('books:read');
    await expect(client.callTool(WRITE)).rejects.toThrow(UnauthorizedErrorV1);
    await second.finishAuth(provider.callback?.searchParams.get('code') ?? '');
    expect(provider.tokens()?.scope).toBe('books:write');
    expect(JSON.stringify(await client.callTool(WRITE))).toContain('Piranesi');
    expect(second.sessionId).toBe(session);
    await client.close();
  });
});

test('a v1 client with a refresh token, which refreshes where it should ask, writes where it was asked for that at first', async () => {
  await shop.api.createServer('eager', 'Eager');
  await shop.api.allowWrites('eager', 'write');
  const { release } = await shop.api.createRelease('eager', { kind: 'openapi', document: upstream.openapi });
  await shop.api.publish('eager', release.id);
  const eager = await connectV1(new V1Provider(shop.owner), `${wharf.url}/t/${shop.slug}/eager/mcp`);
  expect(JSON.stringify(await eager.client.callTool(WRITE))).toContain('Piranesi');
  const other = await connectV1(new V1Provider(shop.owner), shop.serverUrl);
  await expect(other.client.callTool(WRITE)).rejects.toThrow('403 after trying upscoping');
  await Promise.all([eager.client.close(), other.client.close()]);
});

/** Connects as the v1 SDK's documentation says, signing in on the way. */
async function connectV1(provider: V1Provider, url: string) {
  const transport = () => new StreamableHTTPClientTransport(new URL(url), { authProvider: provider });
  const first = transport();
  await expect(new Client({ name: 'v1', version: '1' }).connect(first as never)).rejects.toThrow(UnauthorizedErrorV1);
  await first.finishAuth(provider.callback?.searchParams.get('code') ?? '');
  const client = new Client({ name: 'v1', version: '1' });
  const second = transport();
  await client.connect(second as never);
  return { client, transport: second };
}

test('a server that has not opted in shows agents only what reads, until it does', async () => {
  await shop.api.createServer('shy', 'Shy');
  const { release } = await shop.api.createRelease('shy', { kind: 'openapi', document: upstream.openapi });
  await shop.api.publish('shy', release.id);
  const url = `${wharf.url}/t/${shop.slug}/shy/mcp`;
  const names = async () => {
    const agent = await connectWithApiKey({ url, apiKey: shop.apiKey.text, protocol: 'auto' });
    const { tools } = await agent.client.listTools();
    await agent.close();
    return tools.map(({ name }) => name);
  };
  expect(await names()).toContain('getBook');
  expect(await names()).not.toContain('createBook');
  await shop.api.allowWrites('shy');
  expect(await names()).toContain('createBook');
});
