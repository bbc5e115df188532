import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { AccessTokenVerifier } from '#libs/identity';
import { AuthWorld, locationOf, loginFields, REDIRECT, type TestClient } from './testing/auth-world.fixture.js';
import { refusalAt } from './testing/browser.fixture.js';

describe('codes and tokens', () => {
  let world: AuthWorld;
  let acme: string;
  let mcp: string;
  let client: TestClient;
  const EMAIL = 'ana@acme.test';

  beforeAll(async () => {
    world = await AuthWorld.open();
    acme = await world.addTenant('acme', 'Acme');
    await world.addTenant('beta', 'Beta');
    await world.addPerson(EMAIL, { [acme]: 'user' });
    mcp = `${world.url}/t/acme/mcp`;
    client = await world.register();
  });
  afterAll(async () => world.close());

  async function code(): Promise<string> {
    return (await world.authorize(client, mcp, EMAIL)).searchParams.get('code') ?? '';
  }

  /** Whether the grant is held that an access token hangs on. */
  async function isHeld(accessToken: unknown): Promise<boolean> {
    const { rows } = await world.owner.query(`select 1 from grants where id = $1 and revoked_at is null`, [
      decodeJwt(String(accessToken))['gid'],
    ]);
    return rows.length > 0;
  }

  async function refusalOf(changes: Record<string, string | null>): Promise<string> {
    return refusalAt(await world.browser().open(world.authorizeUrl(client, mcp, changes)));
  }

  describe('the resource', () => {
    test.each([
      ['is missing', null],
      ['is foreign', 'https://elsewhere.example/t/acme/mcp'],
      ['has a fragment', 'http://localhost/t/acme/mcp#x'],
      ['ends in a slash', '/t/acme/mcp/'],
      ['has a query', '/t/acme/mcp?x=1'],
      ['is the bare origin', '/'],
      ['names a tenant that does not exist', '/t/nobody/mcp'],
    ])('is refused with invalid_target, iss and state when it %s (O-19, O-20)', async (_reason, given) => {
      const resource = given === null ? null : given.startsWith('/') ? `${world.url}${given}` : given;
      expect(await refusalOf({ resource })).toMatch(/^invalid_target .*resource/);
    });

    test('two of them are refused', async () => {
      const url = `${world.authorizeUrl(client, mcp)}&resource=${encodeURIComponent(`${world.url}/t/beta/mcp`)}`;
      expect(refusalAt(await world.browser().open(url))).toMatch(/^invalid_target /);
    });

    test('spelled with capitals in scheme and host is the same', async () => {
      const spelled = mcp.replace('http://localhost', 'HTTP://LocalHost');
      const answer = await world.signedIn(client, spelled, EMAIL);
      expect(answer.body).toMatchObject({ scope: 'mcp:read' });
    });

    test('a refused token is recorded with its rule at the tenant it was asked for, twenty times a minute of an address', async () => {
      const given = await code();
      expect((await world.redeem(client, given, mcp)).status).toBe(200);
      const refused = () =>
        world.owner.query(
          `select outcome, details, actor from audit_records where tenant_id = $1 and event = 'token.refused' order by id`,
          [acme],
        );
      const before = (await refused()).rows.length;
      for (let tries = 0; tries < 45; tries += 1)
        expect((await world.redeem(client, `made-up-${tries}`, mcp)).status).toBe(400);
      const { rows } = await refused();
      // Of the minute in which they begin, and of the next one, which may come among them.
      expect(rows.length - before).toBeLessThanOrEqual(40);
      expect(rows.length - before).toBeGreaterThan(0);
      expect(rows.at(-1)).toMatchObject({
        outcome: 'invalid_grant',
        actor: { kind: 'anonymous' },
        details: { resource: mcp, client: client.client_id, grant: 'authorization_code', rule: expect.any(String) },
      });
      expect(JSON.stringify(rows)).not.toContain('made-up-');
    });

    test('a wrong one at the token endpoint costs no code (O-20)', async () => {
      const given = await code();
      const wrongs = [`${world.url}/t/beta/mcp`, 'https://elsewhere.example/mcp', `${mcp}#x`, ''];
      for (const wrong of wrongs) {
        const refused = await world.redeem(client, given, wrong);
        expect([wrong, refused.status, refused.body['error']]).toEqual([wrong, 400, 'invalid_target']);
      }
      expect((await world.redeem(client, given, mcp)).status).toBe(200);
    });

    test('none at the token endpoint is refused and costs no code; a refresh is for the one it was (O-20)', async () => {
      const given = await code();
      const fields = { grant_type: 'authorization_code', code: given, redirect_uri: REDIRECT };
      const refused = await world.token(client, { ...fields, code_verifier: world.verifier });
      expect([refused.status, refused.body['error']]).toEqual([400, 'invalid_target']);
      expect(refused.body['error_description']).toMatch(/resource is missing.*Send the one/);
      const { status, body } = await world.redeem(client, given, mcp);
      const again = { grant_type: 'refresh_token', refresh_token: String(body['refresh_token']) };
      const refreshed = await world.token(client, again);
      expect([status, refreshed.status, decodeJwt(String(refreshed.body['access_token'])).aud]).toEqual([
        200,
        200,
        mcp,
      ]);
    });

    test('a scope that the resource does not know is refused', async () => {
      expect(await refusalOf({ scope: 'management' })).toMatch(/^invalid_scope /);
    });
  });

  describe('PKCE', () => {
    test('is required, with S256 (O-03, O-04)', async () => {
      const missing = await refusalOf({ code_challenge: null, code_challenge_method: null });
      expect(missing).toMatch(/^invalid_request .*PKCE/);
      for (const method of ['plain', 'S512', null]) {
        expect(await refusalOf({ code_challenge_method: method })).toMatch(/^invalid_request /);
      }
    });

    test('refuses a missing or wrong verifier and leaves the code usable (O-05)', async () => {
      const given = await code();
      const fields = { grant_type: 'authorization_code', code: given, redirect_uri: REDIRECT, resource: mcp };
      for (const verifier of [{}, { code_verifier: 'x'.repeat(43) }]) {
        const refused = await world.token(client, { ...fields, ...verifier });
        expect([refused.status, refused.body['error']]).toEqual([400, 'invalid_grant']);
      }
      expect((await world.redeem(client, given, mcp)).status).toBe(200);
    });
  });

  test('a code used twice is refused, revokes what it gave and is recorded (O-07)', async () => {
    const given = await code();
    const first = await world.redeem(client, given, mcp);
    expect(await world.audited(acme)).not.toContain('token.reuse_detected revoked');
    expect(await isHeld(first.body['access_token'])).toBe(true);
    const again = await world.redeem(client, given, mcp);
    expect([again.status, again.body['error']]).toEqual([400, 'invalid_grant']);
    expect(await isHeld(first.body['access_token'])).toBe(false);
    const refreshed = await world.refresh(client, first.body['refresh_token'], mcp);
    expect([refreshed.status, refreshed.body['error']]).toEqual([400, 'invalid_grant']);
    expect((await world.audited(acme)).filter((line) => line === 'token.reuse_detected revoked')).toHaveLength(1);
  });

  test('a used code with a wrong verifier, or of another client, revokes nothing: who can guess neither ends nobody’s access (O-08)', async () => {
    const given = await code();
    const first = await world.redeem(client, given, mcp);
    const fields = { grant_type: 'authorization_code', code: given, redirect_uri: REDIRECT, resource: mcp };
    const replays = [
      await world.token(client, { ...fields, code_verifier: 'x'.repeat(43) }),
      await world.token(client, fields),
      await world.redeem(await world.register(), given, mcp),
    ];
    for (const { status, body } of replays) expect([status, body['error']]).toEqual([400, 'invalid_grant']);
    expect((await world.refresh(client, first.body['refresh_token'], mcp)).status).toBe(200);
  });

  test('a code redeemed many times at once gives exactly one token (O-11)', async () => {
    const given = await code();
    const answers = await Promise.all(Array.from({ length: 50 }, () => world.redeem(client, given, mcp)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test('a code of one client is nothing to another (O-10)', async () => {
    const given = await code();
    const refused = await world.redeem(await world.register(), given, mcp);
    expect([refused.status, refused.body['error']]).toEqual([400, 'invalid_grant']);
    expect((await world.redeem(client, given, mcp)).status).toBe(200);
  });

  test('openid and offline_access can be asked for beside the scope, and an identity token is no access token', async () => {
    const browser = world.browser();
    const asked = { scope: 'openid mcp offline_access', prompt: 'consent' };
    const login = await browser.open(world.authorizeUrl(client, mcp, asked));
    const consent = await browser.submit(login, loginFields(EMAIL));
    const location = locationOf(await browser.submit(consent, { action: 'allow' }));
    const answer = await world.redeem(client, location.searchParams.get('code'), mcp);
    expect(answer.body['scope']).toBe('mcp');
    const verifier = new AccessTokenVerifier({ issuer: `${world.url}/auth`, jwksUrl: `${world.url}/auth/jwks` });
    expect((await verifier.verify(String(answer.body['access_token']), mcp)).scope).toBe('mcp');
    await expect(verifier.verify(String(answer.body['id_token']), client.client_id)).rejects.toMatchObject({
      code: 'unauthenticated',
    });
  });

  test('other grants and response types are not offered (O-16)', async () => {
    const password = await world.token(client, { grant_type: 'password', username: EMAIL, password: 'x' });
    expect(password.body['error']).toBe('unsupported_grant_type');
    expect(await refusalOf({ response_type: 'token' })).toMatch(/^unsupported_response_type /);
  });

  test('a repeated parameter is refused (O-17)', async () => {
    const response = await fetch(`${world.url}/auth/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `grant_type=authorization_code&code=x&client_id=${client.client_id}&client_id=other`,
    });
    expect(response.status).toBe(400);
  });

  test('confidential clients authenticate, and a wrong secret is refused', async () => {
    const confidential = await world.register({ token_endpoint_auth_method: 'client_secret_post' });
    expect((await world.signedIn(confidential, mcp, EMAIL)).status).toBe(200);
    const given = (await world.authorize(confidential, mcp, EMAIL)).searchParams.get('code');
    const refused = await world.redeem({ ...confidential, client_secret: 'wrong' }, given, mcp);
    expect([refused.status, refused.body['error']]).toEqual([401, 'invalid_client']);
  });

  test('nothing usable is stored: no id, code, token or secret stands in the table in the clear', async () => {
    const confidential = await world.register({ token_endpoint_auth_method: 'client_secret_post' });
    const given = (await world.authorize(confidential, mcp, EMAIL)).searchParams.get('code') ?? '';
    const answer = await world.redeem(confidential, given, mcp);
    const { rows } = await world.owner.query<{ text: string }>(
      `select string_agg(row_to_json(a)::text, '') as text from oauth_artifacts a`,
    );
    const secrets = [given, answer.body['refresh_token'], confidential.client_secret, confidential.client_id];
    for (const secret of secrets) expect(rows[0]?.text).not.toContain(String(secret));
    const keys = await world.owner.query<{ text: string }>(`select row_to_json(k)::text as text from signing_keys k`);
    expect(keys.rows[0]?.text).not.toMatch(/"d":/);
  });
});
