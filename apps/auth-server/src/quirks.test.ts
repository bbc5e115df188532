import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as before from '@modelcontextprotocol/sdk/client/auth.js';
import * as since from '@modelcontextprotocol/client';
import { AuthWorld, locationOf, loginFields, REDIRECT } from './testing/auth-world.fixture.js';

/** What known clients do beside the letter of the specifications. */
const EMAIL = 'ana@acme.test';
let world: AuthWorld;
let mcp: string;
beforeAll(async () => {
  world = await AuthWorld.open();
  const acme = await world.addTenant('acme');
  await world.addPerson(EMAIL, { [acme]: 'user' });
  mcp = `${world.url}/t/acme/mcp`;
});
afterAll(() => world.close());

test('a client that ignores the metadata’s endpoints and calls those at the origin’s root gets its token', async () => {
  const registered = await world.json('/register', { redirect_uris: [REDIRECT], token_endpoint_auth_method: 'none' });
  expect(registered.status).toBe(201);
  const client = { client_id: String(registered.body['client_id']), redirect_uris: [REDIRECT] };
  const browser = world.browser();
  const login = await browser.open(world.authorizeUrl(client, mcp).replace('/auth/authorize', '/authorize'));
  const consent = await browser.submit(login, loginFields(EMAIL));
  const location = new URL((await browser.submit(consent, { action: 'allow' })).headers.get('location') ?? '');
  const answer = await world.form('/token', {
    client_id: client.client_id,
    grant_type: 'authorization_code',
    code: location.searchParams.get('code') ?? '',
    redirect_uri: REDIRECT,
    code_verifier: world.verifier,
    resource: mcp,
  });
  expect([answer.status, answer.body['token_type']]).toEqual([200, 'Bearer']);
});

test('the redirect from the origin’s root leads to the issuer’s own page only', async () => {
  const answer = await fetch(`${world.url}/authorize?redirect_uri=https://evil.example/`, { redirect: 'manual' });
  expect(answer.status).toBe(302);
  expect(answer.headers.get('location')).toBe(`${world.url}/auth/authorize?redirect_uri=https://evil.example/`);
});

test('no metadata stands at the root of a host that tenants share', async () => {
  for (const path of ['oauth-authorization-server', 'openid-configuration', 'oauth-protected-resource']) {
    expect((await fetch(`${world.url}/.well-known/${path}`)).status).toBe(404);
  }
});

test('a client that registered with a narrow scope may ask for the resource’s own later', async () => {
  const client = await world.register({ scope: 'openid' });
  const location = await world.authorize(client, mcp, EMAIL);
  const answer = await world.redeem(client, location.searchParams.get('code'), mcp);
  expect([answer.status, answer.body['scope']]).toEqual([200, 'mcp:read']);
});

/** What known clients register; where each was seen is in docs/decisions/clients.md. */
const REGISTRATIONS = [
  ['Claude', undefined, ['https://claude.ai/api/mcp/auth_callback'], 'web'],
  ['ChatGPT', undefined, ['https://chatgpt.com/connector/oauth/a1b2c3'], 'web'],
  ['Claude Code before 2.1', undefined, ['http://localhost:53999/callback'], 'native'],
  ['Claude Code', 'native', ['http://localhost:3118/callback'], 'native'],
  ['Codex', 'native', ['http://127.0.0.1:37819/callback/a1b2'], 'native'],
  ['VS Code', 'native', ['https://vscode.dev/redirect', 'http://127.0.0.1:33418/'], 'native'],
  ['OpenCode', undefined, ['http://127.0.0.1:19876/mcp/oauth/callback'], 'native'],
  [
    'Cursor',
    undefined,
    ['http://localhost:8787/callback', 'https://www.cursor.com/agents/mcp/oauth/callback'],
    'native',
  ],
] as const;

test.each(REGISTRATIONS)('%s registers, with the application_type %j (O-34)', async (name, said, redirects, type) => {
  const answer = await world.json('/auth/register', {
    client_name: name,
    redirect_uris: redirects,
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    ...(said === undefined ? {} : { application_type: said }),
  });
  expect(answer.status).toBe(201);
  expect(answer.body).toMatchObject({ redirect_uris: redirects, application_type: type });
});

const METADATA = {
  client_name: 'An SDK',
  redirect_uris: [REDIRECT],
  grant_types: ['authorization_code', 'refresh_token'],
  token_endpoint_auth_method: 'none',
};

/** What a provider of the 2026 SDK's says of its client; the SDK adds what it leaves out. */
const PROVIDER = { clientMetadata: METADATA, redirectUrl: REDIRECT } as unknown as since.OAuthClientProvider; // the rest is not asked for

test.each([
  ['that of 2025, which says no application_type', before, METADATA, undefined],
  ['that of 2026, which says native', since, since.resolveClientMetadata(PROVIDER), 'native'],
] as const)('the SDK registers and gets its tokens: %s (O-34)', async (_, sdk, clientMetadata, said) => {
  const issuer = `${world.url}/auth`;
  const bodies: string[] = [];
  const fetchFn: typeof fetch = async (url, init) => {
    if (typeof init?.body === 'string') bodies.push(init.body);
    return fetch(url, init);
  };
  const metadata = await sdk.discoverAuthorizationServerMetadata(issuer);
  const shared = { metadata, resource: new URL(mcp) };
  const clientInformation = await sdk.registerClient(issuer, { metadata, clientMetadata, fetchFn } as never); // each SDK has types of its own
  expect(JSON.parse(bodies[0] ?? '').application_type).toBe(said);
  const asked = { ...shared, clientInformation, redirectUrl: REDIRECT, scope: 'mcp:read', state: 'the-state' };
  const { authorizationUrl, codeVerifier } = await sdk.startAuthorization(issuer, asked as never);
  const browser = world.browser();
  const consent = await browser.submit(await browser.open(authorizationUrl.href), loginFields(EMAIL));
  const { code, iss } = Object.fromEntries(locationOf(await browser.submit(consent, { action: 'allow' })).searchParams);
  const redeemed = { ...shared, clientInformation, authorizationCode: code, iss, codeVerifier, redirectUri: REDIRECT };
  const tokens = await sdk.exchangeAuthorization(issuer, redeemed as never);
  const fresh = await sdk.refreshAuthorization(issuer, {
    ...shared,
    clientInformation,
    refreshToken: tokens.refresh_token ?? '',
  } as never);
  expect(fresh.refresh_token).not.toBe(tokens.refresh_token);
});
