import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { callRaw, connectAgent, startUpstream, type Upstream } from '#libs/journey';
import { startWharf, type Wharf } from '#libs/testing';
import { openTestShop, type TestShop } from '../journeys/shop.js';

/** Twin tenants with the same names for everything: whatever is addressed by name must not be found across. */
let wharf: Wharf;
let upstream: Upstream;
let a: TestShop;
let b: TestShop;
const CANARY = 'canary-of-tenant-a-7f3c';

beforeAll(async () => {
  [wharf, upstream] = await Promise.all([startWharf(), startUpstream()]);
  [a, b] = await Promise.all([openTestShop(wharf, upstream, 'twin-a'), openTestShop(wharf, upstream, 'twin-b')]);
  await a.api.putSecret('token', CANARY);
});
afterAll(async () => {
  await Promise.all([wharf?.stop(), upstream?.stop()]);
});

describe('a credential of tenant A at tenant B’s URL', () => {
  test('an API key is refused', async () => {
    const answer = await callRaw({ url: b.serverUrl, bearer: a.apiKey.text, method: 'tools/list' });
    expect(answer.status).toBe(401);
  });

  test('an access token is refused, also at another URL of the same tenant', async () => {
    const agent = await connectAgent({ url: a.serverUrl, ...a.owner });
    const statuses = await Promise.all(
      [a.serverUrl, a.tenantUrl, b.serverUrl, b.tenantUrl].map(
        async (url) => (await callRaw({ url, bearer: agent.accessToken, method: 'tools/list' })).status,
      ),
    );
    expect(statuses).toEqual([200, 401, 401, 401]);
    const management = await fetch(`${wharf.url}/v1/tenant`, {
      headers: { authorization: `Bearer ${agent.accessToken}` },
    });
    expect(management.status).toBe(401);
    await agent.close();
  });

  test('a session is not found, with B’s own credentials too', async () => {
    const opened = await legacy(a, {
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } },
    });
    const session = opened.headers.get('mcp-session-id') ?? '';
    expect(session).not.toBe('');
    const across = await legacy(b, { method: 'tools/list' }, session);
    const unknown = await legacy(b, { method: 'tools/list' }, '00000000-0000-4000-8000-000000000000');
    expect(across.status).toBe(404);
    expect(await across.text()).toBe(await unknown.text());
    expect((await legacy(a, { method: 'tools/list' }, session)).status).toBe(200);
  });

  test('a session of the same tenant is not found for another principal', async () => {
    const opened = await legacy(a, {
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } },
    });
    const session = opened.headers.get('mcp-session-id') ?? '';
    const other = await a.api.createApiKey('other', ['mcp']);
    const across = await legacy({ ...a, apiKey: other }, { method: 'tools/list' }, session);
    expect(across.status).toBe(404);
  });
});

describe('every management route', () => {
  test('tells tenant B nothing of A and changes nothing of A’s, whatever of A’s it is given', async () => {
    const before = await everythingOf(a);
    const document = (await (await fetch(`${wharf.url}/v1/openapi.json`)).json()) as OpenApi; // our own document
    const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => ({ path, method })),
    );
    const ids = [...new Set(before.match(/[0-9a-f]{8}-[0-9a-f-]{27}/g) ?? [])];
    expect(routes.length).toBeGreaterThan(20);
    expect(ids.length).toBeGreaterThan(3);
    for (const { path, method } of routes.filter(
      (route) => !route.path.startsWith('/admin/') && !route.path.includes('signup'),
    )) {
      for (const id of path.includes('{') ? ids : [undefined]) {
        const url = path.replaceAll(/\{[^}]+\}/g, (place) => (place === '{server}' ? 'books' : (id ?? '')));
        const answer = await fetch(`${wharf.url}${url}`, {
          method: method.toUpperCase(),
          headers: { authorization: `Bearer ${b.apiKey.text}`, 'content-type': 'application/json' },
          ...(method === 'get' || method === 'delete' ? {} : { body: '{}' }),
        });
        const text = await answer.text();
        expect({
          url,
          leaks:
            text.includes(CANARY) || text.includes('twin-a') || (id !== undefined && answer.ok && text.includes(id)),
        }).toEqual({ url, leaks: false });
      }
    }
    expect(withoutRequestIds(await everythingOf(a))).toBe(withoutRequestIds(before));
  });
});

test('no log line and no metric carries a tenant’s canary', async () => {
  expect(wharf.logs()).not.toContain(CANARY);
  expect(await (await fetch(`${wharf.url}/metrics`)).text()).not.toMatch(/twin-a|twin-b/);
});

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

async function legacy(shop: TestShop, message: object, session?: string): Promise<Response> {
  return fetch(shop.serverUrl, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${shop.apiKey.text}`,
      ...(session === undefined ? {} : { 'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25' }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...message }),
  });
}

/** What the API shows a tenant of itself, but for what every look changes. */
async function everythingOf(shop: TestShop): Promise<string> {
  const paths = [
    '/v1/tenant',
    '/v1/me',
    '/v1/members',
    '/v1/servers',
    '/v1/servers/books/releases',
    '/v1/secrets',
    '/v1/api-keys',
  ];
  const texts = await Promise.all(
    paths.map(async (path) =>
      (await fetch(`${wharf.url}${path}`, { headers: { authorization: `Bearer ${shop.apiKey.text}` } })).text(),
    ),
  );
  return texts.join('\n').replaceAll(/"last_used_at":[^,}]+/g, '');
}

/** The same text with each request's own id taken out. */
function withoutRequestIds(text: string): string {
  return text.replaceAll(/"request_id":"[0-9a-f]{32}"/g, '');
}
