import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CompanyProvider } from '#libs/testing';
import { DEVICE_CODE } from './device/device-flow.js';
import { TOKEN_EXCHANGE } from './exchange/grant-type.js';
import { JWT_BEARER } from './federation/grant-type.js';
import { AuthWorld, loginFields, WEB_CLIENT, type Answered, type TestClient } from './testing/auth-world.fixture.js';
import { allowDevice } from './testing/device.fixture.js';
import { connectProvider, startCompany } from './testing/openid-provider.fixture.js';
import { assertionOf, newKey, proofOf, type TestKey } from './testing/client-keys.fixture.js';
import { addClient, basic, postForm } from './testing/tenant-clients.fixture.js';

interface Metadata {
  readonly [name: string]: unknown;
  readonly grant_types_supported: readonly string[];
  readonly response_types_supported: readonly string[];
  readonly response_modes_supported: readonly string[];
  readonly token_endpoint_auth_methods_supported: readonly string[];
  readonly token_endpoint_auth_signing_alg_values_supported: readonly string[];
  readonly dpop_signing_alg_values_supported: readonly string[];
}

let world: AuthWorld;
let acme: string;
let metadata: Metadata;
let key: TestKey;
let company: CompanyProvider;

beforeAll(async () => {
  world = await AuthWorld.open();
  acme = await world.addTenant('acme');
  for (const slug of ['orders', 'billing']) await world.addServer(acme, slug);
  await world.addPerson('ada@example.com', { [acme]: 'owner' });
  metadata = (await (await fetch(`${world.url}/.well-known/oauth-authorization-server/auth`)).json()) as Metadata; // the shape is what is tested
  key = await newKey();
  company = await startCompany(world, ['acme']);
  await connectProvider(world, acme, company, { accepts_assertions: true, default_role: 'user' });
});
afterAll(async () => {
  await company?.stop();
  await world.close();
});

const url = (): string => `${world.url}/t/acme/mcp`;
const at = (slug: string): string => `${world.url}/t/acme/${slug}/mcp`;
const issuer = (): string => `${world.url}/auth`;
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const MACHINE_GRANT = { grant_type: 'client_credentials' };

/** How each grant type is proved to give a token; one that is promised and not here fails. */
const GRANTS: Readonly<Record<string, () => Promise<Answered>>> = {
  async authorization_code() {
    return world.signedIn(await world.register({ ...WEB_CLIENT }), url(), 'ada@example.com');
  },
  async refresh_token() {
    const client = await world.register({ ...WEB_CLIENT });
    const { body } = await world.signedIn(client, url(), 'ada@example.com');
    return world.refresh(client, body['refresh_token'], url());
  },
  async client_credentials() {
    return world.token(await addClient(world, acme), { ...MACHINE_GRANT, resource: url() });
  },
  async [DEVICE_CODE]() {
    const device = await world.register({ redirect_uris: [], response_types: [], grant_types: [DEVICE_CODE] });
    const { body } = await world.form('/auth/device/auth', { client_id: device.client_id, resource: url() });
    await allowDevice(world, String(body['user_code']), 'ada@example.com');
    const code = String(body['device_code']);
    return world.token(device, { grant_type: DEVICE_CODE, device_code: code, resource: url() });
  },
  async [TOKEN_EXCHANGE]() {
    const server = await addClient(world, acme);
    await world.owner.query(
      `update servers set exchange_clients = array[$1], exchange_servers = '{billing}' where slug = 'orders'`,
      [server.client_id],
    );
    const { body } = await world.signedIn(await world.register({ ...WEB_CLIENT }), at('orders'), 'ada@example.com');
    const subject = { subject_token: String(body['access_token']), subject_token_type: ACCESS_TOKEN };
    return world.token(server, { grant_type: TOKEN_EXCHANGE, ...subject, resource: at('billing') });
  },
  async [JWT_BEARER]() {
    const app = await addClient(world, acme, { kind: 'confidential', ...WEB_CLIENT });
    const iat = Math.floor(Date.now() / 1_000);
    const who = { iss: company.issuer, sub: 'anna-1', aud: issuer(), client_id: app.client_id, jti: randomUUID() };
    const claims = { ...who, iat, exp: iat + 300, resource: url() };
    const assertion = await company.sign(claims, { typ: 'oauth-id-jag+jwt' });
    return world.token(app, { grant_type: JWT_BEARER, assertion });
  },
};

/** How a client authenticates by each method: the form's fields and headers. */
type Credentials = { readonly fields: Record<string, string>; readonly headers: Record<string, string> };
const METHODS: Readonly<Record<string, (client: TestClient) => Promise<Credentials> | Credentials>> = {
  none: ({ client_id: id }) => ({ fields: { client_id: id }, headers: {} }),
  client_secret_basic: (client) => ({ fields: {}, headers: { authorization: basic(client) } }),
  client_secret_post: ({ client_id: id, client_secret: secret = '' }) => ({
    fields: { client_id: id, client_secret: secret },
    headers: {},
  }),
  private_key_jwt: async ({ client_id: id }) => ({ fields: await assertionOf(key, id, issuer()), headers: {} }),
};

/** A client that authenticates by a method, and its credentials. */
async function credentialsBy(method: string): Promise<Credentials> {
  const keys = method === 'private_key_jwt' ? { key_set: { keys: [key.jwk] } } : {};
  const kind = method === 'none' ? 'public' : 'machine';
  const auth = method as 'none' | 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt'; // of our own metadata
  const uris = kind === 'public' ? WEB_CLIENT : {};
  const client = await addClient(world, acme, { kind, auth_method: auth, ...keys, ...uris });
  const by = METHODS[method];
  if (by === undefined) throw new Error(`no proof of ${method}`);
  return by(client);
}

describe('what the metadata promises works', () => {
  test('every grant type', async () => {
    expect(Object.keys(GRANTS).toSorted()).toEqual(metadata.grant_types_supported.toSorted());
    for (const prove of Object.values(GRANTS)) expect((await prove()).status).toBe(200);
  });

  test('every authentication method at the token endpoint', async () => {
    expect(Object.keys(METHODS).toSorted()).toEqual(metadata.token_endpoint_auth_methods_supported.toSorted());
    for (const method of metadata.token_endpoint_auth_methods_supported) {
      const { fields, headers } = await credentialsBy(method);
      const asked = { ...MACHINE_GRANT, resource: url(), ...fields };
      const answer = await postForm(world, '/auth/token', asked, headers);
      // Who proves nothing is known all the same, and is no machine.
      expect([method, answer.body['error']]).toEqual([method, method === 'none' ? 'unauthorized_client' : undefined]);
    }
  });

  test.each([
    ['introspection', '/auth/introspect'],
    ['revocation', '/auth/revoke'],
  ])('every authentication method at the %s endpoint, and no other', async (endpoint, path) => {
    const promised = metadata[`${endpoint}_endpoint_auth_methods_supported`];
    for (const method of Object.keys(METHODS)) {
      const { fields, headers } = await credentialsBy(method);
      const { status } = await postForm(world, path, { token: 'x', ...fields }, headers);
      expect([method, status]).toEqual([method, Array.isArray(promised) && promised.includes(method) ? 200 : 401]);
    }
  });

  test('every algorithm of assertions and proofs', async () => {
    for (const alg of metadata.token_endpoint_auth_signing_alg_values_supported) {
      const signer = await newKey(alg);
      const keySet = { keys: [signer.jwk] };
      const client = await addClient(world, acme, { auth_method: 'private_key_jwt', key_set: keySet });
      const asked = { ...MACHINE_GRANT, resource: url(), ...(await assertionOf(signer, client.client_id, issuer())) };
      expect([alg, (await postForm(world, '/auth/token', asked)).status]).toEqual([alg, 200]);
    }
    for (const alg of metadata.dpop_signing_alg_values_supported) {
      const { fields, headers } = await credentialsBy('client_secret_post');
      const dpop = await proofOf(await newKey(alg), `${issuer()}/token`);
      const asked = { ...MACHINE_GRANT, resource: url(), ...fields };
      const answer = await postForm(world, '/auth/token', asked, { ...headers, dpop });
      expect([alg, answer.body['token_type']]).toEqual([alg, 'DPoP']);
    }
  });

  test('every endpoint answers', async () => {
    const endpoints = Object.entries(metadata).filter(([name]) => name.endsWith('_endpoint') || name === 'jwks_uri');
    expect(endpoints.map(([name]) => name).toSorted()).toMatchInlineSnapshot(`
[
  "authorization_endpoint",
  "device_authorization_endpoint",
  "introspection_endpoint",
  "jwks_uri",
  "pushed_authorization_request_endpoint",
  "registration_endpoint",
  "revocation_endpoint",
  "token_endpoint",
]
`);
    for (const [name, at] of endpoints) {
      const method = name === 'jwks_uri' || name === 'authorization_endpoint' ? 'GET' : 'POST';
      const { status } = await fetch(String(at), { method, redirect: 'manual' });
      expect([name, status === 404 || status === 405 || status >= 500]).toEqual([name, false]);
    }
  });

  test('every response type and mode', async () => {
    expect(metadata.response_types_supported).toEqual(['code']);
    expect(metadata.response_modes_supported).toEqual(['query', 'fragment']);
    for (const mode of metadata.response_modes_supported) {
      const client = await world.register({ ...WEB_CLIENT });
      const browser = world.browser();
      let page = await browser.open(world.authorizeUrl(client, url(), { response_mode: mode }));
      page = await browser.submit(page, loginFields('ada@example.com'));
      page = await browser.submit(page, { action: 'allow' });
      expect([mode, /code=/.test(String(page.headers.get('location')))]).toEqual([mode, true]);
    }
  });
});

describe('what the metadata does not promise is refused', () => {
  test.each(['password', 'implicit', 'urn:openid:params:grant-type:ciba'])('the grant type %s', async (grantType) => {
    if (metadata.grant_types_supported.includes(grantType)) return;
    const { fields, headers } = await credentialsBy('client_secret_post');
    const answer = await postForm(world, '/auth/token', { ...fields, grant_type: grantType, resource: url() }, headers);
    expect(answer.body['error']).toBe('unsupported_grant_type');
  });

  test.each(['client_secret_jwt', 'tls_client_auth', 'self_signed_tls_client_auth', 'private_key_jwt'])(
    'the authentication method %s, of a client that registers itself',
    async (method) => {
      const body = { ...WEB_CLIENT, token_endpoint_auth_method: method };
      expect((await world.json('/auth/register', body)).body['error']).toBe('invalid_client_metadata');
    },
  );

  test.each(['HS256', 'ES384', 'RS512', 'none'])('assertions signed with %s', async (alg) => {
    expect(metadata.token_endpoint_auth_signing_alg_values_supported).not.toContain(alg);
    const { client_id: id } = await addClient(world, acme, {
      auth_method: 'private_key_jwt',
      key_set: { keys: [key.jwk] },
    });
    const [, payload, signature] = (await assertionOf(key, id, issuer()))['client_assertion']?.split('.') ?? [];
    const forged = `${Buffer.from(JSON.stringify({ alg })).toString('base64url')}.${payload}.${alg === 'none' ? '' : signature}`;
    const assertion = {
      client_assertion: forged,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    };
    const answer = await postForm(world, '/auth/token', {
      ...MACHINE_GRANT,
      resource: url(),
      client_id: id,
      ...assertion,
    });
    expect(answer.body['error']).toBe('invalid_client');
  });

  test.each(['/me', '/session/end', '/backchannel', '/reg', '/challenge', '/userinfo'])(
    'the endpoint %s',
    async (path) => {
      if (Object.values(metadata).includes(`${issuer()}${path}`)) return;
      for (const method of ['GET', 'POST']) {
        expect((await fetch(`${issuer()}${path}`, { method })).status).toBe(404);
      }
    },
  );

  test.each(['form_post', 'web_message', 'jwt', 'query.jwt'])('the response mode %s', async (mode) => {
    const client = await world.register({ ...WEB_CLIENT });
    const page = await world.browser().open(world.authorizeUrl(client, url(), { response_mode: mode }));
    expect([page.status, page.headers.get('location')]).toEqual([400, null]);
  });
});
