import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AuthWorld, REDIRECT } from './testing/auth-world.fixture.js';

describe('clients', () => {
  let world: AuthWorld;
  let mcp: string;

  beforeAll(async () => {
    world = await AuthWorld.open({ WHARF_REGISTRATIONS_PER_HOUR: '1000' });
    const acme = await world.addTenant('acme', 'Acme');
    await world.addPerson('ana@acme.test', { [acme]: 'user' });
    mcp = `${world.url}/t/acme/mcp`;
  });
  afterAll(async () => world.close());

  test.each<[string, Record<string, unknown>, string]>([
    [
      'without redirects, for codes',
      { redirect_uris: [], grant_types: ['authorization_code'] },
      'invalid_redirect_uri',
    ],
    ['without redirects or grants', { redirect_uris: [], grant_types: undefined }, 'invalid_redirect_uri'],
    ['for refresh tokens alone', { grant_types: ['refresh_token'] }, 'invalid_client_metadata'],
    ['for codes that it does not take', { response_types: [] }, 'invalid_client_metadata'],
  ])('a client is refused that registers %s', async (_, metadata, error) => {
    const answer = await world.json('/auth/register', { redirect_uris: ['https://app.example/cb'], ...metadata });
    expect([answer.status, answer.body['error']]).toEqual([400, error]);
  });

  test('register as an SDK does; what we do not know is ignored (RFC 7591 §2)', async () => {
    const answer = await world.json('/auth/register', {
      client_name: 'SDK client',
      redirect_uris: ['http://localhost:3118/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      scope: 'mcp',
      logo_uri: 'https://logo.example/x.png',
      something_new: { a: 1 },
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.body).toMatchObject({ client_name: 'SDK client', application_type: 'native' });
    expect(answer.body['client_secret']).toBeUndefined();
    expect(answer.body['logo_uri']).toBeUndefined();
  });

  test('register as Cursor does, with a scheme of its own among its redirects', async () => {
    const redirectUris = [
      'http://localhost:8787/callback',
      'https://www.cursor.com/agents/mcp/oauth/callback',
      'cursor://anysphere.cursor-mcp/oauth/callback',
    ];
    const answer = await world.json('/auth/register', {
      client_name: 'Cursor',
      redirect_uris: redirectUris,
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ redirect_uris: redirectUris, application_type: 'native' });
  });

  test('get a secret unless they say they need none', async () => {
    const client = await world.register({
      token_endpoint_auth_method: undefined,
      redirect_uris: ['https://app.example/cb'],
    });
    expect(client.client_secret?.length).toBeGreaterThan(40);
  });

  test.each([
    ['a script', ['javascript:alert(1)']],
    ['data', ['data:text/html,x']],
    ['a fragment', ['https://a.example/#f']],
    ['a zero character', ['https://a.example/cb\0']],
    ['a line break', ['https://a.example/cb\r\n']],
    ['a leading space', [' https://a.example/cb']],
    ['a tab in its host', ['https://a.ex\tample/cb']],
    ['a backslash', ['https://a.example\\@evil.example/cb']],
    ['a control character', ['https://a.example/cb\u007f']],
    ['half a character', ['https://a.example/cb\ud800']],
    ['credentials', ['https://user:pass@a.example/']],
    ['plain http elsewhere', ['http://a.example/cb']],
    ['a private address', ['http://192.168.1.2/cb']],
    ['a scheme that is no reverse domain name', ['myapp:/cb']],
    ['a known scheme and an unknown place', ['cursor://anysphere.cursor-mcp/oauth/callback/../x']],
    ['no URI', ['not a uri']],
    ['nothing', []],
    ['a thousand of them', Array.from({ length: 1_000 }, (_, at) => `https://a.example/${at}`)],
  ])('are refused a redirect URI with %s (O-34)', async (_what, redirectUris) => {
    const answer = await world.json('/auth/register', { redirect_uris: redirectUris });
    expect([answer.status, answer.body['error']]).toEqual([400, 'invalid_redirect_uri']);
  });

  test.each([
    ['http://127.0.0.1:7/cb', 'native'],
    ['https://app.example/cb', 'web'],
  ])(
    'that say no application_type are taken for what %s makes them, as docs/decisions/clients.md says (O-34)',
    async (uri, type) => {
      const answer = await world.json('/auth/register', { redirect_uris: [uri] });
      expect([answer.status, answer.body['application_type']]).toEqual([201, type]);
    },
  );

  test.each(['http://localhost:7/cb', 'com.example.app:/cb'])(
    'that say they are web are refused the redirect %s of apps (O-34)',
    async (uri) => {
      const metadata = { redirect_uris: ['https://app.example/cb', uri], application_type: 'web' };
      const answer = await world.json('/auth/register', metadata);
      expect([answer.status, answer.body['error']]).toEqual([400, 'invalid_redirect_uri']);
      expect(answer.body['error_description']).toContain('register as native');
    },
  );

  test.each(['desktop', 7, ''])('are refused the application_type %j (O-34)', async (type) => {
    const answer = await world.json('/auth/register', { redirect_uris: [REDIRECT], application_type: type });
    expect([answer.status, answer.body['error']]).toEqual([400, 'invalid_client_metadata']);
  });

  test.each([
    ['a name of 10 kB', { client_name: 'x'.repeat(10_000) }],
    ['a name that changes direction', { client_name: 'Wharf\u202egnp.exe' }],
    ['a grant we do not offer', { grant_types: ['client_credentials'] }],
    ['an authentication we do not offer', { token_endpoint_auth_method: 'private_key_jwt' }],
    ['a name that is no text', { client_name: { toString: 1 } }],
  ])('are refused %s (O-35)', async (_what, metadata) => {
    const answer = await world.json('/auth/register', { redirect_uris: [REDIRECT], ...metadata });
    expect([answer.status, answer.body['error']]).toEqual([400, 'invalid_client_metadata']);
  });

  test('are refused what is no JSON, with the reason', async () => {
    const response = await fetch(`${world.url}/auth/register`, { method: 'POST', body: '{' });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: 'invalid_client_metadata' });
  });

  test.each([
    ['an extra slash', `${REDIRECT}/`],
    ['an extra query', `${REDIRECT}?x=1`],
    ['another case of the path', REDIRECT.replace('callback', 'Callback')],
    ['dots', `${REDIRECT}/../callback`],
    ['another host', 'http://localhost:9/callback'],
    ['credentials', REDIRECT.replace('127', 'a@127')],
  ])('with %s in the redirect URI get a page and never a redirect (O-01)', async (_what, redirectUri) => {
    const client = await world.register();
    const page = await world.browser().open(world.authorizeUrl(client, mcp, { redirect_uri: redirectUri }));
    expect(page.status).toBe(400);
    expect(page.headers.get('location')).toBeNull();
    expect(page.headers.get('content-type')).toContain('text/html');
  });

  test('on loopback may use any port, and on https may not (O-02)', async () => {
    const client = await world.register({ redirect_uris: ['http://127.0.0.1/cb', 'https://app.example/cb'] });
    const loopback = await world
      .browser()
      .open(world.authorizeUrl(client, mcp, { redirect_uri: 'http://127.0.0.1:51234/cb' }));
    expect(loopback.status).toBe(200);
    const elsewhere = await world
      .browser()
      .open(world.authorizeUrl(client, mcp, { redirect_uri: 'https://app.example:8443/cb' }));
    expect(elsewhere.status).toBe(400);
  });

  test('that are not known get a page, also when their id is a document that may not be fetched (O-31)', async () => {
    const ids = [
      'nobody',
      'http://app.example/client',
      'https://127.0.0.1/client',
      'https://[::1]/c',
      'https://localhost/c',
      'https://app.example/a/../c',
      'https://app.example/a/%2e%2e/c',
      'https://app.example/c#f',
      'https://user@app.example/c',
    ];
    for (const id of ids) {
      const page = await world.browser().open(world.authorizeUrl({ client_id: id }, mcp));
      expect([id, page.status, page.headers.get('location')]).toEqual([id, 400, null]);
    }
  });

  test('that nobody lets in expire, and used ones are kept', async () => {
    const unused = await world.register();
    const used = await world.register();
    await world.signedIn(used, mcp, 'ana@acme.test');
    await world.owner.query(
      `update oauth_artifacts set expires_at = expires_at - interval '8 days' where model = 'Client'`,
    );
    expect((await world.browser().open(world.authorizeUrl(unused, mcp))).status).toBe(400);
    expect((await world.browser().open(world.authorizeUrl(used, mcp))).status).toBe(200);
  });

  test('are registered as often as the limit says, then 429 with Retry-After', async () => {
    const limited = await AuthWorld.open({ WHARF_REGISTRATIONS_PER_HOUR: '3' });
    try {
      for (let count = 0; count < 3; count += 1) await limited.register();
      const answer = await limited.json('/auth/register', { redirect_uris: [REDIRECT] });
      expect(answer.status).toBe(429);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    } finally {
      await limited.close();
    }
  });

  test('answers carry no CORS header at the authorization endpoint, and do at the token endpoint (O-27)', async () => {
    const client = await world.register();
    const headers = { origin: 'https://app.example' };
    const authorize = await fetch(world.authorizeUrl(client, mcp), { headers, redirect: 'manual' });
    expect(authorize.headers.get('access-control-allow-origin')).toBeNull();
    const preflight = await fetch(`${world.url}/auth/token`, {
      method: 'OPTIONS',
      headers: { ...headers, 'access-control-request-method': 'POST' },
    });
    expect(preflight.headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect(preflight.headers.get('access-control-allow-credentials')).toBeNull();
  });
});
