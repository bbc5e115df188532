import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AuthWorld, WEB_CLIENT, type Answered, type TestClient } from '../../testing/auth-world.fixture.js';
import { addClient, postForm } from '../../testing/tenant-clients.fixture.js';

let world: AuthWorld;
let acme: string;
let app: TestClient;
let machine: TestClient;
let refreshToken: string;

beforeAll(async () => {
  world = await AuthWorld.open();
  acme = await world.addTenant('acme');
  await world.addPerson('ada@example.com', { [acme]: 'owner' });
  app = await world.register({ ...WEB_CLIENT });
  machine = await addClient(world, acme);
  refreshToken = String((await world.signedIn(app, url(), 'ada@example.com')).body['refresh_token']);
});
afterAll(async () => world.close());

const url = (): string => `${world.url}/t/acme/mcp`;

/** Parameters of a token request; a repeated one stands in a list. */
type Fields = Readonly<Record<string, string | readonly string[]>>;

function ask(fields: Fields): Promise<Answered> {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) for (const one of [value].flat()) params.append(name, one);
  return postForm(world, '/auth/token', params);
}

const CODE = { grant_type: 'authorization_code', code: 'x', redirect_uri: 'https://app.example/callback' };
const asApp = (fields: Fields): Fields => ({ client_id: app.client_id, ...fields });
const asMachine = (fields: Fields): Fields => ({
  client_id: machine.client_id,
  client_secret: machine.client_secret ?? '',
  resource: url(),
  ...fields,
});

const TABLE: ReadonlyArray<readonly [string, string, number, () => Fields]> = [
  ['invalid_request', 'no grant_type', 400, () => asApp({})],
  ['invalid_request', 'no code', 400, () => asApp({ grant_type: 'authorization_code' })],
  ['invalid_request', 'no refresh_token', 400, () => asApp({ grant_type: 'refresh_token' })],
  ['invalid_request', 'a repeated client_id (O-17)', 400, () => ({ ...CODE, client_id: [app.client_id, 'b'] })],
  [
    'invalid_request',
    'a repeated grant_type (O-17)',
    400,
    () => asApp({ grant_type: ['refresh_token', 'refresh_token'] }),
  ],
  ['invalid_request', 'a repeated code (O-17)', 400, () => asApp({ ...CODE, code: ['a', 'b'] })],
  ['invalid_request', 'no client', 400, () => CODE],
  ['invalid_client', 'an unknown client', 401, () => ({ ...CODE, client_id: 'nobody' })],
  ['invalid_client', 'a wrong secret', 401, () => asMachine({ grant_type: 'client_credentials', client_secret: 'x' })],
  ['invalid_client', 'no secret', 401, () => ({ grant_type: 'client_credentials', client_id: machine.client_id })],
  ['invalid_client', 'a secret of a client that has none', 401, () => asApp({ ...CODE, client_secret: 'x' })],
  ['invalid_grant', 'an unknown code', 400, () => asApp({ ...CODE, code_verifier: 'v'.repeat(43) })],
  ['invalid_grant', 'an unknown refresh token', 400, () => asApp({ grant_type: 'refresh_token', refresh_token: 'x' })],
  [
    'unauthorized_client',
    'a grant type of machines',
    400,
    () => asApp({ grant_type: 'client_credentials', resource: url() }),
  ],
  ['unauthorized_client', 'a code for a machine', 400, () => asMachine({ ...CODE })],
  [
    'unauthorized_client',
    'a refresh token for a machine',
    400,
    () => asMachine({ grant_type: 'refresh_token', refresh_token: 'x' }),
  ],
  [
    'unsupported_grant_type',
    'a password (O-16)',
    400,
    () => asApp({ grant_type: 'password', username: 'a', password: 'b' }),
  ],
  ['unsupported_grant_type', 'implicit (O-16)', 400, () => asApp({ grant_type: 'implicit' })],
  ['unsupported_grant_type', 'what nobody knows', 400, () => asApp({ grant_type: 'urn:example:none' })],
  [
    'invalid_scope',
    'a scope beyond the grant (O-15)',
    400,
    () => asApp({ grant_type: 'refresh_token', refresh_token: refreshToken, scope: 'mcp management' }),
  ],
  [
    'invalid_scope',
    'a scope that no resource of a machine has',
    400,
    () => asMachine({ grant_type: 'client_credentials', scope: 'everything' }),
  ],
  [
    'invalid_scope',
    'a scope that is no scope',
    400,
    () => asMachine({ grant_type: 'client_credentials', scope: 'mcp "x"' }),
  ],
  [
    'invalid_target',
    'a resource that is not ours (O-20)',
    400,
    () => asMachine({ grant_type: 'client_credentials', resource: 'https://example.com/' }),
  ],
  [
    'invalid_target',
    'no resource of a machine (O-20)',
    400,
    () => ({ ...asMachine({ grant_type: 'client_credentials' }), resource: '' }),
  ],
];

describe('the token endpoint (RFC 6749 §5.2)', () => {
  test.each(TABLE)('answers %s to %s', async (error, _, status, fields) => {
    const answer = await ask(fields());
    expect([answer.status, answer.body['error']]).toEqual([status, error]);
    expect(Object.keys(answer.body).filter((name) => name !== 'scope')).toEqual(['error', 'error_description']);
    expect([answer.headers.get('cache-control'), answer.headers.get('content-type')]).toEqual([
      'no-store',
      expect.stringContaining('application/json'),
    ]);
    // What to do next, in the characters that §5.2 allows.
    expect(answer.body['error_description']).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+\.$/);
    expect(answer.body['error_description']).toMatch(/\b(Correct|Check|Register|Use|Ask|Send|Begin|Authenticate)\b/);
    expect(answer.body['error_description']).not.toMatch(/grant request is invalid|client authentication failed/);
    // Nothing of the inside leaves (O-40).
    expect(JSON.stringify(answer.body)).not.toMatch(/\.js|\.ts:|node_modules|select |insert |at \w+ \(|Error:/i);
  });

  test.each(['/token', '/par', '/introspect', '/revoke', '/device/auth'])(
    'a body that is too large for %s',
    async (path) => {
      const answer = await world.form(`/auth${path}`, { ...asApp(CODE), code: 'x'.repeat(20_000) });
      expect([answer.status, answer.body['error'], Object.keys(answer.body)]).toEqual([
        413,
        'invalid_request',
        ['error', 'error_description'],
      ]);
      expect([answer.headers.get('cache-control'), answer.headers.get('content-type')]).toEqual([
        'no-store',
        expect.stringContaining('application/json'),
      ]);
    },
  );

  test('the refusals cost nothing: the refresh token that was tried is still good', async () => {
    expect((await world.refresh(app, refreshToken, url())).status).toBe(200);
  });

  test.each([
    ['is no form', 'application/json', '{"grant_type":"client_credentials"}', 400],
    ['is longer than 16 KiB', 'application/x-www-form-urlencoded', `code=${'x'.repeat(17_000)}`, 413],
    ['is no text', 'application/x-www-form-urlencoded', '\u0000\ufffd%zz=%', 400],
  ])('a body that %s is refused without a word of the inside (O-40)', async (_, contentType, body, status) => {
    const response = await fetch(`${world.url}/auth/token`, {
      method: 'POST',
      headers: { 'content-type': contentType },
      body,
    });
    expect(response.status).toBe(status);
    expect(await response.text()).not.toMatch(/\.js|\.ts:|node_modules|Error:|at \w+ \(/);
  });

  test('a token comes with Cache-Control: no-store (O-40)', async () => {
    const answer = await ask(asMachine({ grant_type: 'client_credentials' }));
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
  });

  test('a failure inside says server_error and nothing more (O-40)', async () => {
    await world.owner.query(`alter table audit_records rename to audit_records_away`);
    try {
      const answer = await ask(asMachine({ grant_type: 'client_credentials' }));
      expect([answer.status, answer.body['error']]).toEqual([500, 'server_error']);
      expect(JSON.stringify(answer.body)).not.toMatch(/audit_records|relation|insert/);
    } finally {
      await world.owner.query(`alter table audit_records_away rename to audit_records`);
    }
  });
});

describe('the authorization endpoint', () => {
  test.each([
    ['response_type=token (O-16)', { response_type: 'token' }, 'unsupported_response_type'],
    ['response_type=id_token (O-16)', { response_type: 'id_token' }, 'unsupported_response_type'],
    ['an unsigned request object', { request: 'eyJhbGciOiJub25lIn0.e30.' }, 'request_not_supported'],
    ['a request_uri that is not ours', { request_uri: 'https://app.example/request' }, 'request_uri_not_supported'],
  ])('refuses %s on a page', async (_, changes, error) => {
    const page = await world.browser().open(world.authorizeUrl(app, url(), changes));
    expect([page.status, page.headers.get('location')]).toEqual([400, null]);
    expect(page.text).toContain(error);
  });

  test('refuses a repeated parameter (O-17)', async () => {
    const page = await world.browser().open(`${world.authorizeUrl(app, url())}&client_id=b`);
    expect([page.status, page.headers.get('location')]).toEqual([400, null]);
    expect(page.text).toContain('invalid_request');
  });
});
