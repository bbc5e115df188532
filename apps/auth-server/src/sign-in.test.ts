import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { AccessTokenVerifier } from '#libs/identity';
import { AuthWorld, locationOf, loginFields, REDIRECT, WEB_CLIENT } from './testing/auth-world.fixture.js';
import { refusalAt, withoutChance } from './testing/browser.fixture.js';

describe('signing in for a tenant URL', () => {
  let world: AuthWorld;
  let acme: string;
  let beta: string;
  let ana: string;
  let mcp: string;

  beforeAll(async () => {
    world = await AuthWorld.open();
    acme = await world.addTenant('acme', 'Acme');
    beta = await world.addTenant('beta', 'Beta');
    await world.addServer(acme, 'shop');
    ana = await world.addPerson('ana@acme.test', { [acme]: 'user' });
    await world.addPerson('olga@acme.test', { [acme]: 'owner' });
    await world.addPerson('bob@beta.test', { [beta]: 'owner' });
    mcp = `${world.url}/t/acme/mcp`;
  });
  afterAll(async () => world.close());

  test('a client that registers itself gets a token for exactly the tenant URL', async () => {
    const client = await world.register();
    const browser = world.browser();
    const login = await browser.open(world.authorizeUrl(client, mcp));
    expect(login.status).toBe(200);
    const consent = await browser.submit(login, loginFields('ana@acme.test'));
    expect(consent.text).toContain('Allow an app to use Acme?');
    const location = locationOf(await browser.submit(consent, { action: 'allow' }));
    expect(location.href.startsWith(`${REDIRECT}?`)).toBe(true);
    expect(location.searchParams.get('state')).toBe('the-state');
    expect(location.searchParams.get('iss')).toBe(`${world.url}/auth`);

    const answer = await world.redeem(client, location.searchParams.get('code'), mcp);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.body).toMatchObject({ token_type: 'Bearer', expires_in: 600, scope: 'mcp:read' });
    expect(answer.body['refresh_token']).toEqual(expect.any(String));

    const token = String(answer.body['access_token']);
    expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'ES256', typ: 'at+jwt', kid: expect.any(String) });
    const verifier = new AccessTokenVerifier({ issuer: `${world.url}/auth`, jwksUrl: `${world.url}/auth/jwks` });
    const claims = await verifier.verify(token, mcp);
    expect(claims).toMatchObject({ sub: ana, aud: mcp, tenant: acme, client_id: client.client_id, scope: 'mcp:read' });
    await expect(verifier.verify(token, `${world.url}/t/beta/mcp`)).rejects.toMatchObject({ code: 'unauthenticated' });
    await expect(verifier.verify(token, `${mcp}/`)).rejects.toMatchObject({ code: 'unauthenticated' });
    expect(await world.audited(acme)).toEqual(['login.succeeded ok', 'consent.granted ok', 'token.issued ok']);
  });

  test('a client that anybody on the machine could pose as is asked about every time (RFC 8252 §8.6)', async () => {
    const client = await world.register();
    const browser = world.browser();
    await world.authorize(client, mcp, 'ana@acme.test', browser);
    const again = await browser.open(world.authorizeUrl(client, mcp));
    expect(again.text).toContain('value="allow"');
    expect(again.text).not.toContain('name="password"');
  });

  test('a person who is signed in and has allowed a web client before is sent straight back', async () => {
    const client = await world.register(WEB_CLIENT);
    const browser = world.browser();
    await world.authorize(client, mcp, 'ana@acme.test', browser);
    const again = locationOf(await browser.open(world.authorizeUrl(client, mcp)));
    expect(again.searchParams.get('code')).toEqual(expect.any(String));
    expect((await world.redeem(client, again.searchParams.get('code'), mcp)).status).toBe(200);
  });

  test('consent for one URL is not consent for another, nor for another client', async () => {
    const client = await world.register(WEB_CLIENT);
    const browser = world.browser();
    await world.authorize(client, mcp, 'ana@acme.test', browser);
    const other = await browser.open(world.authorizeUrl(client, `${world.url}/t/acme/shop/mcp`));
    expect(other.text).toContain('/t/acme/shop/mcp');
    expect(other.text).toContain('value="allow"');
    const stranger = await browser.open(world.authorizeUrl(await world.register(WEB_CLIENT), mcp));
    expect(stranger.text).toContain('value="allow"');
  });

  test('a server of the tenant has tokens of its own, a server that does not exist has none', async () => {
    const client = await world.register();
    const shop = `${world.url}/t/acme/shop/mcp`;
    const answer = await world.signedIn(client, shop, 'ana@acme.test');
    expect(decodeJwt(String(answer.body['access_token'])).aud).toBe(shop);
    const none = await world.browser().open(world.authorizeUrl(client, `${world.url}/t/acme/none/mcp`));
    expect(refusalAt(none)).toMatch(/^invalid_target /);
  });

  test('the management URL is for roles that manage', async () => {
    const client = await world.register();
    const management = `${world.url}/v1/tenants/acme`;
    const answer = await world.signedIn(client, management, 'olga@acme.test');
    expect(answer.body).toMatchObject({ scope: 'management' });
    const browser = world.browser();
    const page = await browser.submit(
      await browser.open(world.authorizeUrl(client, management)),
      loginFields('ana@acme.test'),
    );
    expect(page.status).toBe(403);
  });

  test('a person who is no member is told who can help and the client gets access_denied', async () => {
    const client = await world.register();
    const browser = world.browser();
    const page = await browser.submit(
      await browser.open(world.authorizeUrl(client, mcp)),
      loginFields('bob@beta.test'),
    );
    expect(page.status).toBe(403);
    expect(page.text).toContain('An owner or administrator of Acme can give you access');
    expect(page.text).not.toContain('value="allow"');
    const forced = await browser.submit(page, { action: 'allow' });
    expect(forced.status).toBe(403);
    const location = locationOf(await browser.submit(page, { action: 'deny' }));
    expect(location.searchParams.get('error')).toBe('access_denied');
    expect(location.searchParams.get('iss')).toBe(`${world.url}/auth`);
    expect(await world.audited(acme)).toContain('consent.refused no_access');
  });

  test('a person who is no member leaves neither name nor address in the tenant’s log', async () => {
    const strange = await world.addTenant('strange');
    const browser = world.browser();
    const login = await browser.open(world.authorizeUrl(await world.register(), `${world.url}/t/strange/mcp`));
    await browser.submit(await browser.submit(login, loginFields('bob@beta.test')), { action: 'deny' });
    const { rows } = await world.owner.query(
      `select event, outcome, actor, source_address from audit_records where tenant_id = $1 order by id`,
      [strange],
    );
    const nobody = { outcome: 'no_access', actor: { kind: 'anonymous' }, source_address: null };
    expect(rows).toEqual([
      { event: 'login.succeeded', ...nobody },
      { event: 'consent.refused', ...nobody },
    ]);
  });

  test('a member whose role gives no access is named in the log of the tenant', async () => {
    const browser = world.browser();
    const login = await browser.open(world.authorizeUrl(await world.register(), `${world.url}/v1/tenants/acme`));
    await browser.submit(await browser.submit(login, loginFields('ana@acme.test')), { action: 'deny' });
    const { rows } = await world.owner.query(
      `select event, outcome, actor ->> 'id' as person, source_address is not null as addressed from audit_records
       where tenant_id = $1 order by id desc limit 2`,
      [acme],
    );
    expect(rows).toEqual([
      { event: 'consent.refused', outcome: 'no_access', person: ana, addressed: true },
      { event: 'login.succeeded', outcome: 'ok', person: ana, addressed: true },
    ]);
  });

  test('a person who denies sends the client access_denied, and nothing is remembered', async () => {
    const client = await world.register();
    const browser = world.browser();
    const consent = await browser.submit(
      await browser.open(world.authorizeUrl(client, mcp)),
      loginFields('ana@acme.test'),
    );
    const location = locationOf(await browser.submit(consent, { action: 'deny' }));
    expect(location.searchParams.get('error')).toBe('access_denied');
    expect(await world.audited(acme)).toContain('consent.refused refused');
    expect((await browser.open(world.authorizeUrl(client, mcp))).text).toContain('value="allow"');
  });

  test('a person can use another account from the consent page, and the agent gets its code', async () => {
    const client = await world.register();
    const browser = world.browser();
    const consent = await browser.submit(
      await browser.open(world.authorizeUrl(client, mcp)),
      loginFields('ana@acme.test'),
    );
    const login = await browser.submit(consent, { action: 'sign-out' });
    expect(login.text).toContain('name="password"');
    expect((await browser.submit(consent, { action: 'allow' })).status).toBe(400);
    const again = await browser.submit(login, loginFields('ana@acme.test'));
    const { searchParams } = locationOf(await browser.submit(again, { action: 'allow' }));
    expect(searchParams.get('state')).toBe('the-state');
    expect((await world.redeem(client, searchParams.get('code'), mcp)).status).toBe(200);
  });

  test.each([null, 'login'])('another person who signs in at the browser takes it over (prompt=%s)', async (prompt) => {
    const client = await world.register();
    const browser = world.browser();
    const first = prompt === null ? await browser.open(world.authorizeUrl(client, mcp)) : undefined;
    await world.authorize(await world.register(), mcp, 'olga@acme.test', browser);
    const login = first ?? (await browser.open(world.authorizeUrl(client, mcp, { prompt })));
    const consent = await browser.submit(login, loginFields('ana@acme.test'));
    expect(consent.text).toContain('ana@acme.test');
    const { searchParams } = locationOf(await browser.submit(consent, { action: 'allow' }));
    expect((await world.redeem(client, searchParams.get('code'), mcp)).status).toBe(200);
    expect((await browser.open(`${world.url}/auth/sessions`)).text).toContain('ana@acme.test');
  });

  test('a wrong password shows the form again with the problem and is recorded without a stranger’s e-mail', async () => {
    const client = await world.register();
    const browser = world.browser();
    const login = await browser.open(world.authorizeUrl(client, mcp));
    const wrong = await browser.submit(login, loginFields('ana@acme.test', 'wrong'));
    expect(wrong.status).toBe(401);
    expect(wrong.text).toContain('role="alert"');
    expect(wrong.text).toContain('value="ana@acme.test"');
    const unknown = await browser.submit(login, loginFields('nobody@nowhere.test', 'wrong'));
    expect(withoutChance(unknown.text).replaceAll('nobody@nowhere.test', 'ana@acme.test')).toBe(
      withoutChance(wrong.text),
    );
    const { rows } = await world.owner.query(
      `select details from audit_records where tenant_id = $1 and event = 'login.failed' order by id`,
      [acme],
    );
    expect(rows.map((row) => row.details.email)).toEqual(['ana@acme.test', undefined]);
    expect(rows.map((row) => row.details.rule)).toEqual(['password', 'password']);
  });
});
