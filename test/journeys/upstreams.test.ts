import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { callRaw, signUp, WharfApi, type NewApiKey } from '#libs/journey';
import { startWharf, type Wharf } from '#libs/testing';

/** An upstream that fails when it is told to, and two tenants that call it. */
let wharf: Wharf;
let upstream: Server;
let origin: string;
let failing = false;
let answered = 0;
let a: Tenant;
let b: Tenant;

interface Tenant {
  readonly slug: string;
  readonly apiKey: NewApiKey;
  readonly api: WharfApi;
}

beforeAll(async () => {
  upstream = createServer((_request, response) => {
    if (failing) return void response.writeHead(500).end('broken');
    answered += 1;
    return void response.setHeader('content-type', 'application/json').end(JSON.stringify({ answered }));
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`; // listening on TCP
  wharf = await startWharf();
  [a, b] = [await openTenant('shaky-a'), await openTenant('shaky-b')];
});
afterAll(async () => {
  await wharf?.stop();
  upstream.closeAllConnections();
  await new Promise((resolve) => upstream?.close(resolve));
});

async function openTenant(slug: string): Promise<Tenant> {
  const { api_key: apiKey } = await signUp(wharf.url, {
    tenantName: slug,
    slug,
    email: `owner@${slug}.example`,
    password: `${slug} correct horse battery`,
  });
  const allowed = await fetch(`${wharf.url}/admin/v1/tenants/${slug}/egress-allowances`, {
    method: 'POST',
    headers: { authorization: `Bearer ${wharf.operatorKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      range: '127.0.0.0/30',
      port: Number(new URL(origin).port),
      reason: 'the test’s own upstream',
    }),
  });
  expect(allowed.status).toBe(201);
  const api = new WharfApi({ publicUrl: wharf.url, apiKey: apiKey.text });
  await api.createServer('shaky', 'Shaky');
  await api.allowWrites('shaky');
  const tool = (name: string, annotations: object) => ({
    name,
    description: 'Asks.',
    method: 'GET',
    url: `${origin}/${name}`,
    annotations,
    inputSchema: { type: 'object', properties: {} },
  });
  const { release } = await api.createRelease('shaky', {
    kind: 'http',
    tools: [tool('read', { readOnlyHint: true }), tool('plain', {})],
  });
  await api.publish('shaky', release.id);
  return { slug, apiKey, api };
}

/** The result of a tool's call. */
async function call({ slug, apiKey }: Tenant, name: string): Promise<Record<string, unknown>> {
  const url = `${wharf.url}/t/${slug}/shaky/mcp`;
  const { message } = await callRaw({
    url,
    bearer: apiKey.text,
    method: 'tools/call',
    params: { name, arguments: {} },
  });
  return message?.result ?? {};
}

async function manage({ apiKey }: Tenant, method: string, path: string, body?: object) {
  const response = await fetch(`${wharf.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${apiKey.text}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }; // our own API
}

test('a failing upstream: its tenant sees it, old answers stand in where they may, the other tenant is untouched', async () => {
  const enabled = await manage(a, 'PATCH', '/v1/servers/shaky', {
    stale_answers: { enabled: true, max_age_seconds: 600 },
  });
  expect(enabled.status).toBe(200);
  const fresh = await call(a, 'read');
  expect(fresh).not.toHaveProperty('_meta.wharf/stale');

  failing = true;
  const stale = await call(a, 'read');
  expect(stale).toMatchObject({
    content: fresh['content'],
    _meta: { 'wharf/stale': { age_seconds: expect.any(Number), reason: 'server_error' } },
  });
  expect(stale['isError']).toBeUndefined();
  for (let failure = 0; failure < 10; failure += 1) await call(a, 'plain');

  expect(await call(a, 'read')).toMatchObject({
    content: fresh['content'],
    _meta: { 'wharf/stale': { reason: 'open' } },
  });
  const refused = await call(a, 'plain');
  expect(refused).toMatchObject({ isError: true });
  expect(JSON.stringify(refused)).toMatch(/The next try is possible in \d+ s/);

  const seen = await manage(a, 'GET', '/v1/servers/shaky/upstreams');
  expect(seen).toMatchObject({
    status: 200,
    body: {
      complete: true,
      upstreams: [
        {
          origin,
          state: 'open',
          next_try: expect.any(String),
          last_error: { class: 'server_error', at: expect.any(String) },
          last_success: expect.any(String),
        },
      ],
    },
  });
  expect(await manage(b, 'GET', '/v1/servers/shaky/upstreams')).toMatchObject({
    body: { upstreams: [{ origin, state: 'closed', requests: 0, failures: 0, last_error: null }] },
  });
  const other = await call(b, 'read');
  expect(other).toMatchObject({ isError: true });
  expect(other).not.toHaveProperty('_meta.wharf/stale');
});
