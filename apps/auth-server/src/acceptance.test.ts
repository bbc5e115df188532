import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Database } from '#libs/database';
import { createLogger } from '#libs/telemetry';
import { PresentedStore } from './provider/artifacts/presented-store.js';
import { RowSeals } from './provider/artifacts/row-seals.js';
import { AuthWorld, loginFields, type TestClient } from './testing/auth-world.fixture.js';
import { refusalAt, refusalOn } from './testing/browser.fixture.js';

/** Rows of the acceptance table of the authorization server that no other test is about. */
const EMAIL = 'ana@acme.test';
let world: AuthWorld;
let mcp: string;
let client: TestClient;
beforeAll(async () => {
  world = await AuthWorld.open({ WHARF_LOGINS_PER_QUARTER_HOUR: '3' });
  const acme = await world.addTenant('acme');
  await world.addPerson(EMAIL, { [acme]: 'user' });
  mcp = `${world.url}/t/acme/mcp`;
  client = await world.register();
});
afterAll(() => world.close());

async function newCode(): Promise<string> {
  return (await world.authorize(client, mcp, EMAIL)).searchParams.get('code') ?? '';
}

test.each([
  ['an encoded dot', 'https://app.example/%2e/cb'],
  ['a subdomain', 'https://evil.app.example/cb'],
  ['another port', 'https://app.example:444/cb'],
  ['user information', 'https://app.example@evil.example/cb'],
])('O-01: %s in the redirect URI gets a page and never a redirect', async (_, redirectUri) => {
  const web = await world.register({ redirect_uris: ['https://app.example/cb'] });
  const page = await world.browser().open(world.authorizeUrl(web, mcp, { redirect_uri: redirectUri }));
  expect(refusalOn(page)).toMatch(/^invalid_redirect_uri/);
});

test('O-03: a request without a challenge is answered at the redirect URI, with iss and state', async () => {
  const changes = { code_challenge: null, code_challenge_method: null };
  const answer = await world.browser().open(world.authorizeUrl(client, mcp, changes));
  expect(refusalAt(answer)).toMatch(/^invalid_request .*PKCE/);
});

test('O-04: another challenge method is refused', async () => {
  for (const changes of [{ code_challenge_method: 'S512' }, { code_challenge_method: null }]) {
    expect(refusalAt(await world.browser().open(world.authorizeUrl(client, mcp, changes)))).toMatch(/^invalid_request/);
  }
});

test('O-06: a verifier for a code that never had a challenge is refused', async () => {
  const code = await newCode();
  const { databaseUrl, masterKey } = world.store;
  const database = await Database.connect({ databaseUrl, masterKey, role: 'wharf_auth', poolSize: 1 });
  const seals = await RowSeals.open({ database, masterKey, logger: createLogger('test', 'silent') });
  const codes = new PresentedStore('AuthorizationCode', database, seals);
  const { codeChallenge, codeChallengeMethod: _, ...payload } = (await codes.find(code)) ?? {};
  expect(codeChallenge).toBeDefined();
  await codes.upsert(code, payload, 60);
  await database.close();
  const answer = await world.redeem(client, code, mcp);
  expect([answer.status, answer.body['error']]).toEqual([400, 'invalid_grant']);
});

test('O-09: a code lives a minute and no longer', async () => {
  const code = await newCode();
  const { rows } = await world.owner.query<{ short: boolean }>(
    `update oauth_artifacts set expires_at = now() from oauth_artifacts before
     where oauth_artifacts.model = 'AuthorizationCode' and before.model = oauth_artifacts.model
       and before.id_hash = oauth_artifacts.id_hash
     returning before.expires_at <= now() + interval '60 seconds' as short`,
  );
  expect(rows.every(({ short }) => short)).toBe(true);
  const answer = await world.redeem(client, code, mcp);
  expect([answer.status, answer.body['error']]).toEqual([400, 'invalid_grant']);
});

test('O-19: success comes with iss, and the metadata says so', async () => {
  const location = await world.authorize(client, mcp, EMAIL);
  const metadata = JSON.parse(await (await fetch(`${world.url}/.well-known/oauth-authorization-server/auth`)).text());
  expect(location.searchParams.get('iss')).toBe(metadata.issuer);
  expect(metadata.authorization_response_iss_parameter_supported).toBe(true);
});

describe('O-42: guessing a password', () => {
  test('is slowed down for an unknown person like for a known one, with the same words', async () => {
    const tries = async (email: string): Promise<Array<[number, string | null, string]>> => {
      const browser = world.browser();
      let page = await browser.open(world.authorizeUrl(client, mcp));
      const seen: Array<[number, string | null, string]> = [];
      for (let at = 0; at < 5; at += 1) {
        page = await browser.submit(page, loginFields(email, `wrong ${at}`));
        const text = page.text.replaceAll(email, 'E-MAIL').replaceAll(/(?:value|data-options)="[^"]*"/g, '');
        seen.push([page.status, page.headers.get('retry-after') === null ? null : 'later', text]);
      }
      return seen;
    };
    const known = await tries('ana@acme.test');
    const unknown = await tries('bob@acme.test');
    expect(known.map(([status, later]) => [status, later])).toEqual([
      [401, null],
      [401, null],
      [401, null],
      [429, 'later'],
      [429, 'later'],
    ]);
    expect(unknown).toEqual(known);
  });

  test('a client’s secret is limited for each address, with Retry-After', async () => {
    const confidential = await world.register({ token_endpoint_auth_method: 'client_secret_post' });
    const wrong = { ...confidential, client_secret: 'wrong' };
    let answer = await world.refresh(wrong, 'x', mcp);
    expect([answer.status, answer.body['error']]).toEqual([401, 'invalid_client']);
    for (let at = 0; at < 110 && answer.status !== 429; at += 1) answer = await world.refresh(wrong, 'x', mcp);
    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});
