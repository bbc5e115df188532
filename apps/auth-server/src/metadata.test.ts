import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AuthWorld, PASSWORD } from './testing/auth-world.fixture.js';

const FORMS = [
  '/.well-known/oauth-authorization-server/auth',
  '/.well-known/openid-configuration/auth',
  '/auth/.well-known/openid-configuration',
  '/auth/.well-known/oauth-authorization-server',
];

describe('the issuer’s metadata', () => {
  let world: AuthWorld;

  beforeAll(async () => {
    world = await AuthWorld.open();
  });
  afterAll(async () => world.close());

  test.each(FORMS)('is served at %s and says what we offer, whatever the headers claim (O-29, O-37)', async (path) => {
    const response = await fetch(`${world.url}${path}`, { headers: { 'x-forwarded-host': 'evil.example' } });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('application/json');
    const issuer = `${world.url}/auth`;
    expect(await response.json()).toMatchObject({
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      registration_endpoint: `${issuer}/register`,
      revocation_endpoint: `${issuer}/revoke`,
      jwks_uri: `${issuer}/jwks`,
      code_challenge_methods_supported: ['S256'],
      grant_types_supported: [
        'authorization_code',
        'refresh_token',
        'client_credentials',
        'urn:ietf:params:oauth:grant-type:device_code',
        'urn:ietf:params:oauth:grant-type:token-exchange',
        'urn:ietf:params:oauth:grant-type:jwt-bearer',
      ],
      device_authorization_endpoint: `${issuer}/device/auth`,
      pushed_authorization_request_endpoint: `${issuer}/par`,
      introspection_endpoint: `${issuer}/introspect`,
      response_types_supported: ['code'],
      scopes_supported: ['mcp', 'mcp:read', 'management', 'openid', 'offline_access'],
      token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
      authorization_response_iss_parameter_supported: true,
      client_id_metadata_document_supported: true,
      id_token_signing_alg_values_supported: ['ES256'],
    });
  });

  test.each([...FORMS, '/auth/jwks'])(
    '%s may be read by pages of any origin, without credentials (O-27)',
    async (path) => {
      const origin = 'https://app.example';
      const read = await fetch(`${world.url}${path}`, { headers: { origin } });
      expect(read.status).toBe(200);
      expect(['*', origin]).toContain(read.headers.get('access-control-allow-origin'));
      expect(read.headers.get('access-control-allow-credentials')).toBeNull();
    },
  );

  test('the key set holds public keys only, and two instances share it', async () => {
    const { keys } = (await (await fetch(`${world.url}/auth/jwks`)).json()) as { keys: object[] }; // the shape is what is tested
    expect(keys).toHaveLength(1);
    expect(keys[0]).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' });
    expect(keys[0]).not.toHaveProperty('d');
  });

  test('a person who opens a path that is not there reads so in a page', async () => {
    for (const path of ['/auth/nothing', '/auth', '/nothing']) {
      const response = await fetch(`${world.url}${path}`, { headers: { accept: 'text/html' } });
      expect([path, response.status, await response.text()]).toEqual([path, 404, expect.stringContaining('<h1>')]);
      expect(response.headers.get('content-security-policy')).toContain(`default-src 'none'`);
    }
  });

  test('a path that is not the issuer’s is not found', async () => {
    for (const path of ['/elsewhere', '/auth', '/.well-known/oauth-authorization-server']) {
      expect((await fetch(`${world.url}${path}`)).status).toBe(404);
    }
  });

  test('a request with two hosts is refused', async () => {
    const statusOf = (hosts: string[]): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const headers = hosts.flatMap((host) => ['host', host]);
        const asked = request(`${world.url}${FORMS[0]}`, { headers, agent: false }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        asked.on('error', reject).end();
      });
    const own = new URL(world.url).host;
    expect(await statusOf([own])).toBe(200);
    for (const hosts of [
      ['evil.example', own],
      [own, 'evil.example'],
      [own, own],
    ]) {
      expect(await statusOf(hosts)).toBe(400);
    }
  });

  test('endpoints that are not offered are not there', async () => {
    for (const path of ['/auth/me', '/auth/token/introspection', '/auth/request', '/auth/session/end']) {
      expect((await fetch(`${world.url}${path}`)).status).toBe(404);
    }
  });

  test('the service says that it is ready', async () => {
    expect(await world.readiness()).toEqual({ ok: true, checks: { database: 'ok', signing_key: 'ok', redis: 'ok' } });
  });
});

describe('an issuer on a host of its own', () => {
  let world: AuthWorld;

  beforeAll(async () => {
    world = await AuthWorld.open({ WHARF_ISSUER: 'https://login.wharf.example', WHARF_TRUST_PROXY: 'true' });
  });
  afterAll(async () => world.close());

  test.each(['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'])(
    'has its metadata at %s, with its own URLs',
    async (path) => {
      const metadata = await (await fetch(`${world.url}${path}`)).json();
      expect(metadata).toMatchObject({
        issuer: 'https://login.wharf.example',
        token_endpoint: 'https://login.wharf.example/token',
      });
    },
  );

  test('all its cookies are for this very host over https, out of reach of scripts and other sites', async () => {
    const acme = await world.addTenant('acme');
    await world.addPerson('ana@acme.test', { [acme]: 'user' });
    const { body } = await world.json('/register', { redirect_uris: ['https://app.example/cb'] });
    const client = { client_id: String(body['client_id']), redirect_uris: ['https://app.example/cb'] };
    const jar = new Map<string, string>();
    const attributes = new Map<string, string>();
    /** Opens or sends, follows redirects at the issuer, and keeps every cookie, whatever its path. */
    const visit = async (url: string, form?: Record<string, string>): Promise<{ url: string; text: string }> => {
      const response = await fetch(url, {
        redirect: 'manual',
        headers: { cookie: [...jar].map((pair) => pair.join('=')).join('; ') },
        ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
      });
      for (const line of response.headers.getSetCookie()) {
        const [, name = '', value = '', rest = ''] = /^([^=]+)=([^;]*)(.*)$/.exec(line) ?? [];
        jar.set(name, value);
        attributes.set(name, rest.toLowerCase());
      }
      const location = response.headers.get('location');
      if (location === null) return { url, text: await response.text() };
      const next = new URL(location, 'https://login.wharf.example');
      return next.host === 'app.example'
        ? { url: next.href, text: '' }
        : visit(`${world.url}${next.pathname}${next.search}`);
    };
    const { search } = new URL(world.authorizeUrl(client, `${world.url}/t/acme/mcp`));
    let page = await visit(`${world.url}/authorize${search}`);
    for (const fields of [{ email: 'ana@acme.test', password: PASSWORD, action: 'login' }, { action: 'allow' }]) {
      const csrf = /name="csrf" value="([^"]*)"/.exec(page.text)?.[1] ?? '';
      page = await visit(page.url, { csrf, ...fields });
    }
    expect(page.url).toMatch(/^https:\/\/app\.example\/cb\?code=/);
    await visit(`${world.url}/account`);
    const names = [...attributes.keys()].map((name) => name.replace(/\.sig$/, ''));
    expect([...new Set(names)].toSorted()).toEqual([
      '__Host-wharf_known',
      '__Host-wharf_session',
      '__Secure-wharf_interaction',
      '__Secure-wharf_resume',
    ]);
    for (const [name, rest] of attributes) {
      expect([name, rest]).toEqual([name, expect.stringMatching(/; secure/)]);
      expect([name, rest]).toEqual([name, expect.stringMatching(/; httponly/)]);
      expect([name, rest]).toEqual([name, expect.stringMatching(/; samesite=(lax|strict)/)]);
      expect(rest).not.toContain('domain=');
      // Interactions' cookies are bound to the one interaction by their path, which `__Host-` would not let them be.
      const path = /; path=([^;]*)/.exec(rest)?.[1] ?? '';
      expect([name, path]).toEqual([
        name,
        expect.stringMatching(name.startsWith('__Host-') ? /^\/$/ : /^\/(interaction|authorize)\/[\w-]+$/),
      ]);
    }
  });
});
