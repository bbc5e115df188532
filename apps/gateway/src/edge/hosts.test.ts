import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { until } from '#libs/testing';
import { GatewayUnderTest, type TenantUnderTest } from '../gateway.fixture.js';
import { modern, send, type Answer } from '../requests.fixture.js';

let gateway: GatewayUnderTest;
let acme: TenantUnderTest;

beforeAll(async () => {
  gateway = await GatewayUnderTest.start({ WHARF_BASE_DOMAIN: 'wharf.test' });
  acme = await gateway.tenant('acme', { find: 'https://api.example.com/find' });
});

afterAll(() => gateway.stop());

function call(
  message: { headers?: Record<string, string>; body?: string | Buffer; method?: string },
  extra: Record<string, string> = {},
): Promise<Answer> {
  return send(acme.serverUrl, { ...message, headers: { 'x-api-key': acme.key, ...message.headers, ...extra } });
}

const LIST = modern('tools/list', {}, 7);

describe('hosts and origins', () => {
  test.each(['evil.example.com', 'localhost.evil.example.com', 'wharf.test', '-.wharf.test'])(
    'refuses the Host "%s"',
    async (host) => {
      expect((await call(LIST, { host })).status).toBe(403);
    },
  );

  test('refuses two Hosts, also when one or both are ours', async () => {
    const own = `localhost:${gateway.port}`;
    const statusUnder = async (hosts: string[]): Promise<number> => {
      const url = `${gateway.origin}/.well-known/oauth-protected-resource/t/acme/mcp`;
      return (await send(url, { method: 'GET', headers: hosts.flatMap((host) => ['host', host]) })).status;
    };
    expect(await statusUnder([own])).toBe(200);
    for (const hosts of [
      [own, 'evil.example.com'],
      ['evil.example.com', own],
      [own, own],
    ]) {
      expect(await statusUnder(hosts)).toBe(400);
    }
  });

  test.each([
    'null',
    'http://evil.example.com',
    'https://evil.example.com',
    'https://evil.example.com/path',
    'http://other.wharf.test',
    'file://',
  ])('refuses the Origin "%s"', async (origin) => {
    const answer = await call(LIST, { origin });
    const preflight = await call({ method: 'OPTIONS' }, { origin, 'access-control-request-method': 'POST' });
    for (const { status, headers } of [answer, preflight]) {
      expect([status, headers['access-control-allow-origin']]).toEqual([403, undefined]);
    }
  });

  test('every name of this machine is the shared host', async () => {
    for (const host of [`localhost:${gateway.port}`, `127.0.0.1:${gateway.port}`, `[::1]:${gateway.port}`]) {
      expect((await call(LIST, { host, origin: `http://${host}` })).status).toBe(200);
    }
  });

  test('a page whose origin its tenant names may call, at that tenant only', async () => {
    const origin = 'https://agent.example.com';
    const other = await gateway.tenant('origins', { find: 'https://api.example.com/find' });
    const at = (tenant: TenantUnderTest) =>
      send(tenant.url, { ...LIST, headers: { ...LIST.headers, origin, 'x-api-key': tenant.key } });
    expect([(await at(acme)).status, (await at(other)).status]).toEqual([403, 403]);
    await gateway.allowOrigins(other, [origin]);
    await until(async () => (await at(other)).status === 200);
    expect((await at(acme)).status).toBe(403);
  });

  test('a page of a known web client may call and read what it needs', async () => {
    const origin = 'https://chatgpt.com';
    const preflight = await send(acme.url, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'mcp-param-region, x-evil',
      },
    });
    expect([preflight.status, preflight.headers['access-control-allow-origin']]).toEqual([204, origin]);
    expect(preflight.headers['access-control-allow-headers']).toContain('mcp-param-region');
    expect(preflight.headers['access-control-allow-headers']).not.toContain('x-evil');
    const answer = await call(LIST, { origin });
    expect(answer.headers['access-control-expose-headers']).toContain('Mcp-Session-Id');
  });

  test('a page may ask for the metadata with the version it speaks', async () => {
    const path = `/.well-known/oauth-protected-resource${new URL(acme.url).pathname}`;
    const preflight = await send(`${gateway.origin}${path}`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://agent.example.com',
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'mcp-protocol-version',
      },
    });
    expect([preflight.status, preflight.headers['access-control-allow-origin']]).toEqual([204, '*']);
    expect(preflight.headers['access-control-allow-headers']).toContain('MCP-Protocol-Version');
  });

  test('a tenant host answers a connector that calls its root, with the tokens of the tenant’s URL', async () => {
    const headers = { ...LIST.headers, host: 'acme.wharf.test' };
    const challenged = await send(`${gateway.origin}/`, { ...LIST, headers });
    expect(challenged.headers['www-authenticate']).toContain('/.well-known/oauth-protected-resource/mcp"');
    const token = await gateway.token(acme, 'http://acme.wharf.test/mcp');
    const answer = await send(`${gateway.origin}/`, {
      ...LIST,
      headers: { ...headers, authorization: `Bearer ${token}` },
    });
    expect([challenged.status, answer.status]).toEqual([401, 200]);
  });

  test('a tenant host serves its own tenant at /mcp and /{server}/mcp', async () => {
    const host = 'acme.wharf.test';
    const at = (path: string) =>
      send(`${gateway.origin}${path}`, { ...LIST, headers: { ...LIST.headers, host, 'x-api-key': acme.key } });
    expect([(await at('/mcp')).status, (await at('/orders/mcp/')).status, (await at('/t/acme/mcp')).status]).toEqual([
      200, 200, 404,
    ]);
    const token = await gateway.token(acme, 'http://acme.wharf.test/mcp');
    const answer = await send(`${gateway.origin}/mcp`, {
      ...LIST,
      headers: { ...LIST.headers, host, authorization: `Bearer ${token}` },
    });
    expect(answer.status).toBe(200);
  });
});

describe('protected-resource metadata', () => {
  const WELL_KNOWN = '/.well-known/oauth-protected-resource';
  const metadata = (path: string, headers: Record<string, string> = {}) =>
    send(`${gateway.origin}${WELL_KNOWN}${path}`, { method: 'GET', headers });

  test('of a tenant URL names exactly that URL and its issuer', async () => {
    const answer = await metadata('/t/acme/orders/mcp');
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([200, '*']);
    expect(answer.json).toEqual({
      resource: acme.serverUrl,
      authorization_servers: [gateway.issuer],
      scopes_supported: ['orders:read'],
      bearer_methods_supported: ['header'],
      dpop_signing_alg_values_supported: ['ES256', 'EdDSA', 'PS256', 'RS256'],
      resource_name: 'Tenant acme: orders',
    });
    expect((await metadata('/t/acme/mcp')).json.resource).toBe(acme.url);
  });

  test('of the management API names that', async () => {
    const answer = await metadata('/v1/tenants/acme');
    expect(answer.json).toMatchObject({
      resource: `${gateway.origin}/v1/tenants/acme`,
      scopes_supported: ['management'],
    });
  });

  test('on a tenant host names its URLs, at the root its own', async () => {
    const host = 'acme.wharf.test';
    expect((await metadata('', { host })).json.resource).toBe('http://acme.wharf.test/mcp');
    expect((await metadata('/orders/mcp', { host })).json.resource).toBe('http://acme.wharf.test/orders/mcp');
  });

  test.each(['', '/', '/t/nobody/mcp', '/t/acme/unknown/mcp', '/v1/tenants/nobody', '/mcp'])(
    'does not exist at %s on the shared host',
    async (path) => {
      expect((await metadata(path)).status).toBe(404);
    },
  );
});
