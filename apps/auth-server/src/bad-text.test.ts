import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AuthWorld, loginFields, REDIRECT, type TestClient } from './testing/auth-world.fixture.js';
import { refusalAt } from './testing/browser.fixture.js';
import { postForm } from './testing/tenant-clients.fixture.js';
import { DEVICE_CODE } from './device/device-flow.js';

/** Characters that PostgreSQL keeps in no text. */
const NUL = 'a\u0000';
const EMAIL = 'ana@acme.test';

let world: AuthWorld;
let mcp: string;
let client: TestClient;

beforeAll(async () => {
  world = await AuthWorld.open({ WHARF_TRUST_PROXY: 'true', WHARF_REGISTRATIONS_PER_HOUR: '1000' });
  const acme = await world.addTenant('acme');
  await world.addPerson(EMAIL, { [acme]: 'user' });
  mcp = `${world.url}/t/acme/mcp`;
  client = await world.register();
});
afterAll(() => world.close());

describe('an e-mail that cannot be', () => {
  test('is refused where one signs in as an unknown one is (O-42)', async () => {
    const answers: unknown[] = [];
    for (const email of ['nobody@x.test', `${NUL}@x.test`]) {
      for (const start of [world.authorizeUrl(client, mcp), `${world.url}/auth/account`]) {
        const browser = world.browser();
        const page = await browser.submit(await browser.open(start), loginFields(email));
        answers.push([page.status, /role="alert"[^>]*>(.*?)<\/div>/s.exec(page.text)?.[1]]);
      }
    }
    expect(answers).toEqual(answers.map(() => [401, expect.any(String)]));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  });

  test('is answered as any is where a password is forgotten (O-42)', async () => {
    const answers: unknown[] = [];
    for (const email of ['nobody@x.test', `${NUL}@x.test`]) {
      const browser = world.browser();
      const page = await browser.submit(await browser.open(`${world.url}/auth/account/forgot`), { email });
      answers.push([page.status, /<h1>(.*?)<\/h1>/.exec(page.text)?.[1]]);
    }
    expect(answers).toEqual([answers[0], answers[0]]);
    expect(answers[0]).toEqual([200, expect.any(String)]);
  });
});

describe('a zero character', () => {
  test.each([
    'client_id',
    'response_type',
    'redirect_uri',
    'scope',
    'state',
    'nonce',
    'login_hint',
    'code_challenge',
    'prompt',
    'resource',
    'ui_locales',
  ])('in %s is refused where authorizations begin', async (name) => {
    const page = await world.browser().open(world.authorizeUrl(client, mcp, { [name]: NUL }));
    expect([page.status, page.headers.get('location')]).toEqual([400, null]);
    const pushed = await world.form('/auth/par', { client_id: client.client_id, [name]: NUL });
    expect([pushed.status, pushed.body['error']]).toEqual([400, 'invalid_request']);
  });

  test.each([
    ['/auth/token', 'client_id', {}],
    ['/auth/token', 'client_secret', {}],
    ['/auth/token', 'grant_type', {}],
    ['/auth/token', 'code', { grant_type: 'authorization_code' }],
    ['/auth/token', 'code_verifier', { grant_type: 'authorization_code', code: 'x' }],
    ['/auth/token', 'refresh_token', { grant_type: 'refresh_token' }],
    ['/auth/token', 'resource', { grant_type: 'refresh_token', refresh_token: 'x' }],
    ['/auth/token', 'device_code', { grant_type: DEVICE_CODE }],
    ['/auth/device/auth', 'scope', {}],
    ['/auth/introspect', 'token', {}],
    ['/auth/revoke', 'token', {}],
    ['/auth/revoke', 'token_type_hint', { token: 'x' }],
  ])('sent to %s in %s is refused', async (path, name, rest) => {
    const answer = await world.form(path, { client_id: client.client_id, ...rest, [name]: NUL });
    expect([answer.status, answer.body['error']]).toEqual([400, 'invalid_request']);
  });

  test.each(['a%00:b', 'a:b%00', '\u0000:b'])('in Basic credentials %j fails as any do', async (credentials) => {
    const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
    const answer = await postForm(world, '/auth/token', { grant_type: 'client_credentials' }, { authorization });
    expect([answer.status, answer.body['error']]).toEqual([401, 'invalid_client']);
  });

  test('in an assertion names no client', async () => {
    const [header, claims] = [{ alg: 'ES256' }, { iss: NUL, sub: NUL, aud: mcp, jti: NUL, exp: 9_999_999_999 }].map(
      (part) => Buffer.from(JSON.stringify(part)).toString('base64url'),
    );
    const answer = await world.form('/auth/token', {
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: `${header}.${claims}.eHh4`,
    });
    expect([400, 401]).toContain(answer.status);
  });

  test.each(['client_name', 'grant_types', 'response_types', 'redirect_uris', 'scope', 'software_id', 'logo_uri'])(
    'or half a character in the %s of a client that registers ends in no failure of ours',
    async (name) => {
      for (const text of [NUL, 'a\ud800']) {
        const value = name.endsWith('s') ? [text] : text;
        const answer = await world.json('/auth/register', { redirect_uris: [REDIRECT], [name]: value });
        expect([201, 400]).toContain(answer.status);
        expect(JSON.stringify(answer.body)).not.toMatch(/\\u0000|\\ud800/);
      }
    },
  );

  test.each([
    '/auth/account',
    '/auth/account/app',
    '/auth/account/forgot',
    '/auth/account/reset?token=a%00',
    '/auth/account/verify?token=a%00',
    '/auth/account?done=%00',
    '/auth/account/connections?done=%00',
    '/auth/federation/acme/callback?state=%00&code=%00',
    '/auth/connections/acme/mail/callback?state=%00&code=%00',
    '/auth/device?user_code=%00',
    '/auth/sessions?a=%00',
    '/auth/interaction/abc?ticket=%00',
    '/auth/%00',
    '/v1/me/grants?a=%00',
  ])('ends in no failure of ours at %s, opened or sent', async (path) => {
    const opened = await fetch(`${world.url}${path}`, { redirect: 'manual' });
    expect(opened.status).toBeLessThan(500);
    const names = ['csrf', 'token', 'new', 'old', 'email', 'user_code', 'xsrf', 'credential', 'provider', 'state'];
    const answer = await postForm(world, path, Object.fromEntries(names.map((name) => [name, NUL]))).catch(() => null);
    expect(answer?.status ?? 400).toBeLessThan(500);
  });

  test('in what a signed-in person sends from their own pages ends in no failure of ours', async () => {
    const browser = world.browser();
    const login = await browser.open(`${world.url}/auth/account`);
    await browser.submit(login, loginFields(EMAIL));
    const sent: ReadonlyArray<readonly [string, Readonly<Record<string, string>>]> = [
      ['/auth/account', { action: 'remove-passkey', passkey: NUL }],
      ['/auth/account', { action: 'add-passkey', name: NUL, credential: NUL }],
      ['/auth/account', { action: 'change-password', old: NUL, new: `${NUL}${'x'.repeat(12)}` }],
      ['/auth/account', { action: NUL }],
      ['/auth/account/app', { code: NUL }],
      ['/auth/sessions', { action: 'end', grant: NUL }],
      ['/auth/account/connections', { action: 'connect', tenant: NUL, connector: NUL, told: NUL }],
      ['/auth/account/connections', { action: 'disconnect', tenant: NUL, connector: NUL }],
    ];
    for (const [path, fields] of sent) {
      const answer = await browser.submit(await browser.open(`${world.url}${path}`), fields);
      expect([path, fields, answer.status < 500]).toEqual([path, fields, true]);
    }
  });

  test('in a passkey’s id is refused as an unknown passkey is (O-42)', async () => {
    const statuses: number[] = [];
    for (const id of ['unknown', NUL, 'a\ud800']) {
      const credential = { id, rawId: id, type: 'public-key', response: {}, clientExtensionResults: {} };
      const browser = world.browser();
      const login = await browser.open(world.authorizeUrl(client, mcp));
      statuses.push((await browser.submit(login, { credential: JSON.stringify(credential), action: 'login' })).status);
    }
    expect(statuses).toEqual([401, 401, 401]);
  });
});

describe('a resource', () => {
  const changes: ReadonlyArray<readonly [string, (url: string) => string]> = [
    ['a space at its end', (url) => `${url} `],
    ['a line break at its end', (url) => `${url}\n`],
    ['a tab at its start', (url) => `\t${url}`],
    ['a tab in its host', (url) => url.replace('localhost', 'local\thost')],
    ['backslashes', (url) => url.replaceAll('/', '\\')],
    ['a way around', (url) => url.replace('/t/', '/x/../t/')],
    ['an empty query', (url) => `${url}?`],
  ];

  test.each(changes)('with %s is another than ours (RFC 8707 §2)', async (_, changed) => {
    const resource = changed(mcp);
    const page = await world.browser().open(world.authorizeUrl(client, resource));
    expect(refusalAt(page)).toMatch(/^invalid_target /);
    const asked = { grant_type: 'refresh_token', refresh_token: 'x', resource };
    expect((await world.token(client, asked)).body['error']).toBe('invalid_target');
  });
});
