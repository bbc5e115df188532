import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { calculateJwkThumbprint, decodeJwt } from 'jose';
import { AuthWorld, WEB_CLIENT, type Answered, type TestClient } from '../../testing/auth-world.fixture.js';
import { newKey, proofOf, type TestKey } from '../../testing/client-keys.fixture.js';
import { addClient, postForm } from '../../testing/tenant-clients.fixture.js';

let world: AuthWorld;
let acme: string;
let app: TestClient;
let key: TestKey;

beforeAll(async () => {
  world = await AuthWorld.open();
  acme = await world.addTenant('acme');
  await world.addTenant('globex');
  await world.addPerson('ada@example.com', { [acme]: 'owner' });
  app = await addClient(world, acme, { kind: 'confidential', auth_method: 'client_secret_post', ...WEB_CLIENT });
  key = await newKey();
});
afterAll(async () => world.close());

const urlOf = (slug: string): string => `${world.url}/t/${slug}/mcp`;

/** Pushes an authorization request as the client, with what differs. */
function push(client: TestClient, changes: Record<string, string> = {}): Promise<Answered> {
  const fields = Object.fromEntries(new URL(world.authorizeUrl(client, urlOf('acme'))).searchParams);
  const secret = client.client_secret === undefined ? {} : { client_secret: client.client_secret };
  return postForm(world, '/auth/par', { ...fields, ...secret, ...changes });
}

describe('a pushed authorization request (RFC 9126)', () => {
  test('signs a person in, once', async () => {
    const pushed = await push(app);
    expect([pushed.status, pushed.body['expires_in']]).toEqual([201, 60]);
    const uri = String(pushed.body['request_uri']);
    const at = `${world.url}/auth/authorize?${new URLSearchParams({ client_id: app.client_id, request_uri: uri })}`;
    const browser = world.browser();
    let page = await browser.open(at);
    page = await browser.submit(page, {
      email: 'ada@example.com',
      password: 'correct horse battery staple',
      action: 'login',
    });
    page = await browser.submit(page, { action: 'allow' });
    const location = new URL(String(page.headers.get('location')));
    expect(location.searchParams.get('state')).toBe('the-state');
    expect((await world.redeem(app, location.searchParams.get('code'), urlOf('acme'))).status).toBe(200);
    const again = await world.browser().open(at);
    expect([again.status, again.headers.get('location')]).toEqual([400, null]);
  });

  test.each<[string, Record<string, string>, number, string]>([
    ['an unregistered redirect URI (O-01)', { redirect_uri: 'https://evil.example/' }, 400, 'invalid_request'],
    ['no code challenge (O-03)', { code_challenge: '' }, 400, 'invalid_request'],
    ['a plain code challenge (O-04)', { code_challenge_method: 'plain' }, 400, 'invalid_request'],
    ['another tenant’s URL', { resource: '/t/globex/mcp' }, 400, 'invalid_target'],
    ['another response type (O-16)', { response_type: 'token' }, 400, 'unsupported_response_type'],
    [
      'a request_uri of its own',
      { request_uri: 'urn:ietf:params:oauth:request_uri:x' },
      400,
      'request_uri_not_supported',
    ],
    ['a wrong secret', { client_secret: 'wrong' }, 401, 'invalid_client'],
  ])('with %s is refused', async (_, changes, status, error) => {
    const { resource } = changes;
    const absolute = resource === undefined ? changes : { ...changes, resource: `${world.url}${resource}` };
    const answer = await push(app, absolute);
    expect([answer.status, answer.body['error']]).toEqual([status, error]);
  });

  test('is of no use to another client, nor under a guessed name', async () => {
    const other = await addClient(world, acme, { kind: 'public', auth_method: 'none', ...WEB_CLIENT });
    const uris = [String((await push(app)).body['request_uri']), 'urn:ietf:params:oauth:request_uri:guessed'];
    for (const uri of uris) {
      const query = new URLSearchParams({ client_id: other.client_id, request_uri: uri });
      const page = await world.browser().open(`${world.url}/auth/authorize?${query}`);
      expect([page.status, page.headers.get('location')]).toEqual([400, null]);
    }
  });
});

describe('a token request with a proof of a key (RFC 9449)', () => {
  const ask = async (client: TestClient, fields: Record<string, string>, proof: string): Promise<Answered> => {
    const secret = client.client_secret === undefined ? {} : { client_secret: client.client_secret };
    return postForm(world, '/auth/token', { client_id: client.client_id, ...secret, ...fields }, { dpop: proof });
  };
  const tokenUrl = (): string => `${world.url}/auth/token`;
  const machineFields = (): Record<string, string> => ({ grant_type: 'client_credentials', resource: urlOf('acme') });

  test('gives tokens that are bound to the key: an agent’s and a machine’s', async () => {
    const publicApp = await world.register({ ...WEB_CLIENT });
    const location = await world.authorize(publicApp, urlOf('acme'), 'ada@example.com');
    const fields = {
      grant_type: 'authorization_code',
      code: String(location.searchParams.get('code')),
      redirect_uri: 'https://app.example/callback',
      code_verifier: world.verifier,
      resource: urlOf('acme'),
    };
    const agent = await ask(publicApp, fields, await proofOf(key, tokenUrl()));
    const machine = await ask(await addClient(world, acme), machineFields(), await proofOf(key, tokenUrl()));
    const jkt = await calculateJwkThumbprint(key.jwk);
    for (const { status, body } of [agent, machine]) {
      expect([status, body['token_type']]).toEqual([200, 'DPoP']);
      expect(decodeJwt(String(body['access_token']))['cnf']).toEqual({ jkt });
    }
    // A public client's refresh token is bound to the key too.
    const refresh = { grant_type: 'refresh_token', refresh_token: String(agent.body['refresh_token']) };
    const thief = await ask(publicApp, refresh, await proofOf(await newKey(), tokenUrl()));
    expect(thief.body['error']).toBe('invalid_grant');
    // A proof that is missing or was used costs nothing, and says so.
    const unproved = await world.token(publicApp, refresh);
    const proof = await proofOf(key, tokenUrl());
    const renewed = await ask(publicApp, refresh, proof);
    const next = { ...refresh, refresh_token: String(renewed.body['refresh_token']) };
    const replayed = await ask(publicApp, next, proof);
    for (const { status, body } of [unproved, replayed]) {
      expect([status, body['error']]).toEqual([400, 'invalid_dpop_proof']);
      expect(body['error_description']).toContain('Send');
    }
    expect(renewed.body['token_type']).toBe('DPoP');
    expect((await ask(publicApp, next, await proofOf(key, tokenUrl()))).body['token_type']).toBe('DPoP');
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['for another URL', { htu: 'https://other.example/token' }, 'invalid_dpop_proof'],
    ['for another method', { htm: 'GET' }, 'invalid_dpop_proof'],
    ['without an id', { jti: undefined }, 'invalid_dpop_proof'],
    ['that is too old', { iat: 1_000 }, 'use_dpop_nonce'],
    ['with a nonce that we never gave', { nonce: 'x' }, 'use_dpop_nonce'],
  ])('refuses a proof %s', async (_, changes, error) => {
    const machine = await addClient(world, acme);
    const answer = await ask(machine, machineFields(), await proofOf(key, tokenUrl(), changes));
    expect([answer.status, answer.body['error']]).toEqual([400, error]);
    const nonce = answer.headers.get('dpop-nonce');
    if (error === 'invalid_dpop_proof') return;
    const again = await ask(machine, machineFields(), await proofOf(key, tokenUrl(), { ...changes, nonce }));
    expect(again.status).toBe(200);
  });

  test('takes a proof once, of many at once exactly one', async () => {
    const machine = await addClient(world, acme);
    const proof = await proofOf(key, tokenUrl());
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask(machine, machineFields(), proof)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test('is refused for the management API, which asks for no proof, and costs no code', async () => {
    const publicApp = await world.register({ ...WEB_CLIENT });
    const resource = `${world.url}/v1/tenants/acme`;
    const location = await world.authorize(publicApp, resource, 'ada@example.com');
    const code = location.searchParams.get('code');
    const fields = {
      grant_type: 'authorization_code',
      code: String(code),
      redirect_uri: 'https://app.example/callback',
    };
    const withVerifier = { ...fields, code_verifier: world.verifier };
    const refused = await ask(publicApp, withVerifier, await proofOf(key, tokenUrl()));
    expect([refused.status, refused.body['error']]).toEqual([400, 'invalid_request']);
    expect((await world.redeem(publicApp, code, resource)).body['token_type']).toBe('Bearer');
  });
});
