import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { callRaw, OperatorApi, startUpstream, type Upstream } from '#libs/journey';
import { startWharf, type Wharf } from '#libs/testing';
import { ScriptedAgent } from './scripted-agent.js';
import { openTestShop, type TestShop } from './shop.js';

/** What was answered holds: the first call after an answer meets the new state. */
let wharf: Wharf;
let upstream: Upstream;
let shop: TestShop;
const ROUNDS = 20;

beforeAll(async () => {
  [wharf, upstream] = await Promise.all([startWharf(), startUpstream()]);
  shop = await openTestShop(wharf, upstream, 'at-once');
  const operator = new OperatorApi({ publicUrl: wharf.url, operatorKey: wharf.operatorKey });
  await operator.setPlan('at-once', 'scale', 'calls without a pause');
});
afterAll(async () => {
  await Promise.all([wharf?.stop(), upstream?.stop()]);
});

async function toolsSeen(): Promise<number> {
  const { message } = await callRaw({ url: shop.serverUrl, bearer: shop.apiKey.text, method: 'tools/list' });
  const tools = message?.result?.['tools'];
  return Array.isArray(tools) ? tools.length : -1;
}

test('a rollback is met by the very next call, also while other calls run', async () => {
  const all = await toolsSeen();
  const select = { operationIds: ['getBook'] };
  const { release } = await shop.api.createRelease('books', { kind: 'openapi', document: upstream.openapi, select });
  await shop.api.publish('books', release.id, 'breaking is meant');
  expect(await toolsSeen()).toBe(1);
  const ended = new AbortController();
  const pump = (async (): Promise<void> => {
    while (!ended.signal.aborted) await Promise.all([toolsSeen(), toolsSeen(), toolsSeen(), toolsSeen()]);
  })();
  const seen: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    await shop.api.rollback('books');
    seen.push(await toolsSeen());
  }
  ended.abort();
  await pump;
  expect(seen).toEqual(Array.from({ length: ROUNDS }, (_, round) => (round % 2 === 0 ? all : 1)));
});

test('a revoked key and a suspended tenant are refused by the very next call', async () => {
  const operator = new OperatorApi({ publicUrl: wharf.url, operatorKey: wharf.operatorKey });
  for (let round = 0; round < 5; round += 1) {
    const key = await shop.api.createApiKey(`key ${round}`, ['mcp']);
    const call = (): ReturnType<typeof callRaw> =>
      callRaw({ url: shop.serverUrl, bearer: key.text, method: 'tools/list' });
    expect((await call()).status).toBe(200);
    await operator.suspend('at-once', 'a test');
    expect((await call()).status).toBe(403);
    await operator.resume('at-once', 'a test');
    expect((await call()).status).toBe(200);
    await shop.api.revokeApiKey(key.id);
    expect((await call()).status).toBe(401);
  }
});

test('a grant that its client revokes ends a stream that listens with it, and nothing of it works any more', async () => {
  const agent = new ScriptedAgent(shop.owner, { program: 'listener/1.0' });
  await agent.run(shop.serverUrl);
  const { access_token: bearer = '', refresh_token: refreshToken = '' } = agent.tokens() ?? {};
  const { client_id: clientId = '' } = agent.clientInformation() ?? {};
  const post = (path: string, fields: Record<string, string>): Promise<Response> =>
    fetch(`${wharf.url}/auth/${path}`, {
      method: 'POST',
      body: new URLSearchParams({ client_id: clientId, ...fields }),
    });
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': { name: 'listener', version: '1.0' },
  };
  const method = 'subscriptions/listen';
  const stream = await fetch(shop.serverUrl, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${bearer}`,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method,
      params: { notifications: { toolsListChanged: true }, _meta },
    }),
  });
  expect(stream.status).toBe(200);
  expect((await post('revoke', { token: refreshToken })).status).toBe(200);
  // Reading to the end returns only when the gateway ends the stream.
  expect(await stream.text()).toContain('Sign in again');
  expect((await callRaw({ url: shop.serverUrl, bearer, method: 'tools/list' })).status).toBe(401);
  const refreshed = await post('token', {
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
    resource: shop.serverUrl,
  });
  expect(refreshed.status).toBe(400);
});
