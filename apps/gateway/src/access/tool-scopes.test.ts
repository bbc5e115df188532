import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { until } from '#libs/testing';
import { GatewayUnderTest, type TenantUnderTest } from '../gateway.fixture.js';
import { INITIALIZE, legacy, modern, send, type Answer } from '../requests.fixture.js';
import { listen, type Listening } from '../surroundings.fixture.js';

let gateway: GatewayUnderTest;
let upstream: Listening;
let acme: TenantUnderTest;
let billing: string;
let hits: string[];

const LONG = `write_${'x'.repeat(58)}`;

beforeAll(async () => {
  upstream = await listen((request, response) => {
    hits.push(request.url ?? '');
    response.setHeader('content-type', 'application/json').end('{"ok":true}');
  });
  gateway = await GatewayUnderTest.start();
  const at = (path: string): string => `${upstream.origin}/${path}`;
  acme = await gateway.tenant(
    'acme',
    {
      find: at('find'),
      write: at('write'),
      write_refund: at('refund'),
      [LONG]: at('long'),
    },
    'scale',
  );
  await gateway.publish(acme.id, 'billing', { find: at('bill'), write: at('pay') });
  billing = `${gateway.origin}/t/acme/billing/mcp`;
  await gateway.allow(acme, upstream);
  await settle('orders', { writes: true, groups: { refunds: ['write_refund'] } });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

test('a server that wants writing asked for at once says so in its challenge and metadata, and its tenant’s URL does', async () => {
  await gateway.publish(acme.id, 'eager', { find: `${upstream.origin}/find`, write: `${upstream.origin}/write` });
  await gateway.control.asTenant(acme.id, (tx) =>
    tx.query(`update servers set asks_for = 'write' where slug in ('eager', 'billing')`),
  );
  await settle('eager', { writes: true });
  const asked = async (path: string) => {
    const { headers, body } = modern('tools/list');
    const answer = await send(`${gateway.origin}${path}`, { headers, body });
    const metadata = await send(`${gateway.origin}/.well-known/oauth-protected-resource${path}`, { method: 'GET' });
    const challenged = /scope="([^"]*)"/.exec(answer.headers['www-authenticate'] ?? '')?.[1];
    expect(metadata.json.scopes_supported).toEqual(challenged?.split(' '));
    return challenged;
  };
  expect(await asked('/t/acme/eager/mcp')).toBe('eager:read eager:write');
  expect(await asked('/t/acme/orders/mcp')).toBe('orders:read');
  expect(await asked('/t/acme/billing/mcp')).toBe('billing:read');
  expect(await asked('/t/acme/mcp')).toBe('mcp:read eager:write');
});

/** Changes a server and waits until the gateway knows; the tenant's plan has room for as many questions. */
async function settle(slug: string, { writes, groups = {} }: { writes: boolean; groups?: object }): Promise<void> {
  await gateway.control.asTenant(acme.id, (tx) =>
    tx.query(`update servers set writes = $2, tool_groups = $3 where slug = $1`, [
      slug,
      writes,
      JSON.stringify(groups),
    ]),
  );
  const url = `${gateway.origin}/t/acme/${slug}/mcp`;
  const shown = (): Promise<readonly string[]> => names(url).catch(() => []); // the gateway has not heard of it yet
  await until(async () => (await shown()).includes('write') === writes, 'the gateway has heard of it');
}

async function names(url: string): Promise<string[]> {
  const { headers, body } = modern('tools/list');
  const { json } = await send(url, { headers: { ...headers, 'x-api-key': acme.key }, body });
  if (json.result === undefined) throw new Error(`no tools but ${JSON.stringify(json)}`);
  return json.result.tools.map(({ name }: { name: string }) => name);
}

async function call(url: string, scope: string, name: string): Promise<Answer> {
  hits = [];
  const { headers, body } = modern('tools/call', { name, arguments: {} });
  const authorization = `Bearer ${await gateway.token(acme, url, { scope })}`;
  return send(url, { headers: { ...headers, authorization }, body });
}

async function outcome(url: string, scope: string, name: string): Promise<string> {
  const answer = await call(url, scope, name);
  const wanted = /scope="([^"]*)"/.exec(answer.headers['www-authenticate'] ?? '')?.[1];
  return wanted === undefined ? `${answer.status} ${hits.join()}` : `${answer.status} wants ${wanted}`;
}

describe('scopes of one server', () => {
  test.each([
    ['orders:read', 'find', '200 /find'],
    ['orders:read', 'write', '403 wants orders:write'],
    ['orders:read', 'write_refund', '403 wants orders:refunds'],
    ['orders:write', 'find', '200 /find'],
    ['orders:write', 'write_refund', '200 /refund'],
    ['orders:refunds', 'write_refund', '200 /refund'],
    ['orders:refunds', 'find', '403 wants orders:read'],
    ['orders:refunds', 'write', '403 wants orders:write'],
    ['orders:read orders:refunds', 'find', '200 /find'],
    ['mcp:read', 'find', '200 /find'],
    ['mcp:read', 'write', '403 wants orders:write'],
    ['mcp', 'write', '200 /write'],
    ['orders:constructor', 'find', '403 wants orders:read'],
    ['billing:write', 'find', '403 wants orders:read'],
    ['profile', 'find', '403 wants orders:read'],
  ])('(M-04) with %s, a call of %s is answered %s', async (scope, name, expected) => {
    expect(await outcome(acme.serverUrl, scope, name)).toBe(expected);
  });

  test('(M-04) the challenge names where to ask, what for, and nothing else; the tool did not run', async () => {
    const answer = await call(acme.serverUrl, 'orders:read', 'write');
    expect(answer.headers['www-authenticate']).toBe(
      `Bearer error="insufficient_scope", resource_metadata="${gateway.origin}/.well-known/oauth-protected-resource/t/acme/orders/mcp", scope="orders:write"`,
    );
    expect([answer.json.error.data, hits]).toEqual([{ scope: 'orders:write' }, []]);
  });

  test('a tool beyond the scope is listed, so that an agent can ask for it', async () => {
    const { headers, body } = modern('tools/list');
    const authorization = `Bearer ${await gateway.token(acme, acme.serverUrl, { scope: 'orders:read' })}`;
    const { json } = await send(acme.serverUrl, { headers: { ...headers, authorization }, body });
    expect(json.result.tools).toHaveLength(4);
  });

  test('a name that is no tool is answered by the worker, whatever the scope', async () => {
    const answer = await call(acme.serverUrl, 'orders:read', 'fnd');
    expect(answer.json.error?.message ?? answer.json.result.content[0].text).toContain('find');
  });

  test('API keys have scopes likewise', async () => {
    const key = await gateway.apiKey(acme.id, ['orders:read']);
    const use = (url: string, name: string) => {
      const { headers, body } = modern('tools/call', { name, arguments: {} });
      return send(url, { headers: { ...headers, 'x-api-key': key.text }, body });
    };
    expect((await use(acme.serverUrl, 'find')).status).toBe(200);
    expect((await use(acme.serverUrl, 'write')).headers['www-authenticate']).toContain('scope="orders:write"');
    expect((await use(billing, 'find')).status).toBe(403);
    expect((await use(acme.url, 'orders__find')).status).toBe(200);
    expect((await use(acme.url, 'billing__find')).headers['www-authenticate']).toContain('scope="billing:read"');
  });
});

describe('at the tenant’s own URL', () => {
  test('the prefix of a tool says whose scope it needs, shortened names too', async () => {
    const long = (await names(acme.url)).find((name) => name.startsWith('orders__write_xxx')) ?? '';
    expect(long).toHaveLength(64);
    expect(await outcome(acme.url, 'mcp:read', long)).toBe('403 wants orders:write');
    expect(await outcome(acme.url, 'orders:write', long)).toBe('200 /long');
    expect(await outcome(acme.url, 'orders:write', 'billing__find')).toBe('403 wants billing:read');
    expect(await outcome(acme.url, 'mcp:read', 'billing__find')).toBe('200 /bill');
  });
});

describe('a server that has not opted in to writing', () => {
  test('neither lists nor runs a tool that writes, whatever the scope, and no scope is asked for', async () => {
    expect(await names(billing)).toEqual(['find']);
    expect(await names(acme.url)).not.toContain('billing__write');
    for (const scope of ['mcp', 'billing:write', 'billing:read']) {
      expect(await outcome(billing, scope, 'write')).toBe('403 ');
      expect(await outcome(acme.url, scope, 'billing__write')).toBe('403 ');
    }
    expect((await call(billing, 'mcp', 'write')).json.error.message).toContain('only reads until its tenant');
    const refused = await gateway.audited(acme, ({ outcome: code }) => code === 'forbidden');
    expect(refused).toMatchObject({ event: 'call.refused', details: { name: 'write', rule: 'server.writes' } });
  });

  test('that opts out again stops writing in sessions that are open', async () => {
    const url = `${gateway.origin}/t/acme/third/mcp`;
    await gateway.publish(acme.id, 'third', { find: `${upstream.origin}/find`, write: `${upstream.origin}/write` });
    await settle('third', { writes: true });
    const authorization = `Bearer ${await gateway.token(acme, url)}`;
    const post = async (message: Record<string, unknown>, session?: string) => {
      const { headers, body } = legacy(message, session);
      return send(url, { headers: { ...headers, authorization }, body });
    };
    const session = String((await post(INITIALIZE)).headers['mcp-session-id']);
    const write = () => post({ id: 2, method: 'tools/call', params: { name: 'write', arguments: {} } }, session);
    hits = [];
    expect((await write()).status).toBe(200);
    await settle('third', { writes: false });
    expect((await write()).status).toBe(403);
    expect(hits).toEqual(['/write']);
  });
});
