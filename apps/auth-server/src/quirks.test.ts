import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { AuthWorld, loginFields, REDIRECT } from './testing/auth-world.fixture.js';

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
