import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { AuthWorld, locationOf, type TestClient } from '../testing/auth-world.fixture.js';
import { Browser, type Visited } from '../testing/browser.fixture.js';
import { CompanyProvider, connectProvider } from '../testing/openid-provider.fixture.js';

const ANNA = { sub: 'anna-1', email: 'anna@company.example', groups: ['engineers'] };

let world: AuthWorld;
let company: CompanyProvider;
let acme: string;
let twin: string;
let provider: string;
let client: TestClient;
let resource: string;

beforeAll(async () => {
  world = await AuthWorld.open();
  [acme, twin] = [await world.addTenant('acme'), await world.addTenant('twin', 'CANARY-B')];
  company = await CompanyProvider.start(world, ['acme', 'twin']);
  provider = await connectProvider(world, acme, company, { email_domains: ['company.example'] });
  client = await world.register();
  resource = `${world.url}/t/acme/mcp`;
});
afterAll(async () => {
  await company?.stop();
  await world?.close();
});
beforeEach(async () => {
  await company.tell({ person: ANNA });
  // Other people of other tests.
  await world.owner.query(`delete from members where tenant_id = $1`, [acme]);
});

const newBrowser = () => new Browser(world.url, [company.issuer]);

/** Where the page that leaves for the provider leads. */
function departureOf(page: Visited): string {
  const refresh = /^0; url=(.*)$/.exec(page.headers.get('refresh') ?? '')?.[1];
  if (refresh === undefined) throw new Error(`no departure but ${page.status}: ${page.text}`);
  return refresh;
}

/** Up to the provider: the sign-in page, the provider's button, and the consent. */
async function depart(browser: Browser, url = world.authorizeUrl(client, resource)): Promise<string> {
  const login = await browser.open(url);
  const asked = await browser.submit(login, { provider });
  return departureOf(await browser.submit(asked, { provider, action: 'forward' }));
}

/** All the way as whoever the provider signs in; returns the last page, or the redirect to the client. */
async function signIn(browser = newBrowser()): Promise<Visited> {
  return browser.open(await depart(browser));
}

async function membersOf(tenantId: string): Promise<string[]> {
  const { rows } = await world.owner.query(
    `select a.asserted_email || ' ' || m.role as member from members m join accounts a on a.id = m.account_id
     where m.tenant_id = $1 order by 1`,
    [tenantId],
  );
  return rows.map(({ member }) => member);
}

test('somebody new signs in with the tenant’s provider, becomes a member by group, and gets a token for that URL', async () => {
  const browser = newBrowser();
  const login = await browser.open(world.authorizeUrl(client, resource));
  expect(login.text).toContain('Continue with Company');
  const asked = await browser.submit(login, { provider });
  expect(asked.text).toContain('Test client');
  expect(asked.text).toContain('127.0.0.1:9 (your own computer)');
  expect(asked.text).toContain(`Company (localhost:${company.port})`);
  const leaving = await browser.submit(asked, { provider, action: 'forward' });
  const location = locationOf(await browser.open(departureOf(leaving)));
  const answer = await world.redeem(client, location.searchParams.get('code'), resource);
  expect([answer.status, await membersOf(acme)]).toEqual([200, ['anna@company.example developer']]);
  expect(await world.audited(acme)).toEqual(
    expect.arrayContaining(['member.added ok', 'login.succeeded ok', 'consent.granted ok', 'token.issued ok']),
  );
});

const NOW = () => Math.floor(Date.now() / 1_000);

describe('an ID token is refused, nobody becomes a member, and the log says so', () => {
  test.each([
    ['with another nonce', { forged: { nonce: 'another' } }],
    ['without a nonce', { forged: { nonce: undefined } }],
    ['of another issuer', { forged: { iss: 'https://evil.example' } }],
    ['for another client', { forged: { aud: 'somebody-else' } }],
    ['for several clients', { forged: { aud: ['wharf', 'somebody-else'] } }],
    ['that has expired', { forged: { exp: NOW() - 3_600, iat: NOW() - 7_200 } }],
    ['without a subject', { forged: { sub: undefined } }],
    ['that nobody signed', { signature: 'none' as const }],
    ['that somebody else signed', { signature: 'foreign' as const }],
  ])('%s', async (_, told) => {
    await company.tell({ person: ANNA, ...told });
    const before = (await world.audited(acme)).length;
    const page = await signIn();
    expect([page.status, page.text]).toEqual([400, expect.stringContaining('could not be verified')]);
    expect([await membersOf(acme), (await world.audited(acme)).slice(before)]).toEqual([
      [],
      ['login.failed answer-refused'],
    ]);
  });
});

describe('a state', () => {
  /** What the provider would send the browser back with. */
  async function callbackOf(browser: Browser): Promise<string> {
    const url = await depart(browser);
    const visitor = new Browser(company.issuer);
    return locationOf(await visitor.open(url)).href;
  }

  test('counts once', async () => {
    const browser = newBrowser();
    const callback = await callbackOf(browser);
    expect((await browser.open(callback)).status).toBe(303);
    const again = await browser.open(callback);
    expect([again.status, again.text]).toEqual([400, expect.stringContaining('finished already')]);
  });

  test('of many requests at once serves one', async () => {
    const browser = newBrowser();
    const callback = await callbackOf(browser);
    const pages = await Promise.all(Array.from({ length: 8 }, () => browser.open(callback)));
    expect(pages.filter(({ status }) => status === 303)).toHaveLength(1);
  });

  test('of another browser is refused, and stays good for its own', async () => {
    const [victim, stranger] = [newBrowser(), newBrowser()];
    const callback = await callbackOf(victim);
    await depart(stranger);
    for (const browser of [stranger, newBrowser()]) {
      expect((await browser.open(callback)).status).toBe(400);
    }
    expect((await victim.open(callback)).status).toBe(303);
  });

  test.each([
    ['unknown', (url: URL) => url.searchParams.set('state', 'x'.repeat(43))],
    ['missing', (url: URL) => url.searchParams.delete('state')],
    ['given twice', (url: URL) => url.searchParams.append('state', 'another')],
    ['of another tenant', (url: URL) => (url.pathname = '/auth/federation/twin/callback')],
  ])('that is %s is refused', async (_, change) => {
    const browser = newBrowser();
    const url = new URL(await callbackOf(browser));
    change(url);
    expect((await browser.open(url.href)).status).toBe(400);
  });

  test('is refused with the answer of another issuer (RFC 9207)', async () => {
    const browser = newBrowser();
    const url = new URL(await callbackOf(browser));
    url.searchParams.set('iss', 'https://evil.example');
    const page = await browser.open(url.href);
    expect([page.status, page.text]).toEqual([400, expect.stringContaining('could not be verified')]);
  });

  test('lives ten minutes at most', async () => {
    const browser = newBrowser();
    const callback = await callbackOf(browser);
    const { rows } = await world.owner.query(
      `select max(extract(epoch from expires_at - now())) as seconds from oauth_artifacts where model = 'FederationAttempt'`,
    );
    expect(Number(rows[0].seconds)).toBeLessThanOrEqual(600);
    await world.owner.query(`update oauth_artifacts set expires_at = now() where model = 'FederationAttempt'`);
    expect((await browser.open(callback)).status).toBe(400);
  });

  test('is bound by a cookie that scripts cannot read', async () => {
    const browser = newBrowser();
    const asked = await browser.submit(await browser.open(world.authorizeUrl(client, resource)), { provider });
    const leaving = await browser.submit(asked, { provider, action: 'forward' });
    expect(leaving.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^wharf_federation=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600$/),
    ]);
  });
});

describe('nothing leaves for the provider', () => {
  const attempts = async () =>
    (await world.owner.query(`select 1 from oauth_artifacts where model = 'FederationAttempt'`)).rowCount;

  test('before the person agreed, or without the page’s own form', async () => {
    const before = await attempts();
    const browser = newBrowser();
    const login = await browser.open(world.authorizeUrl(client, resource));
    const asked = await browser.submit(login, { provider });
    expect(asked.headers.get('refresh')).toBeNull();
    const forged = await browser.post(login.url, { csrf: 'forged', provider, action: 'forward' });
    expect([forged.status, forged.headers.get('refresh'), await attempts()]).toEqual([400, null, before]);
  });

  test('when the person denies', async () => {
    const browser = newBrowser();
    const asked = await browser.submit(await browser.open(world.authorizeUrl(client, resource)), { provider });
    const location = locationOf(await browser.submit(asked, { provider, action: 'deny' }));
    expect(location.searchParams.get('error')).toBe('access_denied');
  });

  test('while the provider is away: a clear page, and the other ways stay open', async () => {
    await company.stop();
    // Nothing of it is remembered.
    await world.owner.query(`update identity_providers set updated_at = now() where id = $1`, [provider]);
    const browser = newBrowser();
    const asked = await browser.submit(await browser.open(world.authorizeUrl(client, resource)), { provider });
    const page = await browser.submit(asked, { provider, action: 'forward' });
    expect([page.status, page.text]).toEqual([502, expect.stringContaining('Company cannot be reached')]);
    expect((await browser.open(asked.url)).text).toContain('name="password"');
    await company.restart();
  });
});

test('a provider that goes away while the person is there leaves a clear page', async () => {
  const browser = newBrowser();
  const callback = locationOf(await new Browser(company.issuer).open(await depart(browser))).href;
  await company.stop();
  const page = await browser.open(callback);
  expect([page.status, page.text]).toEqual([502, expect.stringContaining('Company cannot be reached')]);
  await company.restart();
});

test('a person whom the provider turns away reads so', async () => {
  await company.tell({ refuses: true });
  const page = await signIn();
  expect([page.status, page.text]).toEqual([403, expect.stringContaining('Company did not sign you in')]);
});

describe('who is let in', () => {
  test('an e-mail of the tenant’s domain without a password leads to the provider', async () => {
    const browser = newBrowser();
    const login = await browser.open(world.authorizeUrl(client, resource));
    const asked = await browser.submit(login, { email: 'anna@company.example', password: '', action: 'login' });
    expect(asked.text).toContain('Allow and sign in');
    const leaving = await browser.submit(asked, { provider, action: 'forward', email: 'anna@company.example' });
    expect(new URL(departureOf(leaving)).searchParams.get('login_hint')).toBe('anna@company.example');
  });

  test.each([
    ['outside the tenant’s domains', { email: 'anna@elsewhere.example' }, 'no e-mail address of a domain'],
    ['whose domain only ends like it', { email: 'anna@notcompany.example' }, 'no e-mail address of a domain'],
    ['whose e-mail the provider has not verified', { email_verified: false }, 'no e-mail address of a domain'],
    ['without an e-mail', { email: undefined }, 'no e-mail address of a domain'],
    ['without a group that counts', { groups: ['visitors'] }, 'None of your groups'],
    ['without groups', { groups: undefined }, 'None of your groups'],
    ['whose groups did not fit', { groups: undefined, _claim_names: { groups: 'src1' } }, 'more groups than fit'],
  ])('nobody %s', async (_, changes, sentence) => {
    await company.tell({ person: { ...ANNA, sub: 'stranger', ...changes } });
    const page = await signIn();
    expect([page.status, page.text]).toEqual([403, expect.stringContaining(sentence)]);
    expect(await membersOf(acme)).toEqual([]);
  });

  test('what only userinfo tells counts too', async () => {
    await company.tell({ person: ANNA, userinfoOnly: true });
    locationOf(await signIn());
    expect(await membersOf(acme)).toEqual(['anna@company.example developer']);
  });

  test('without just-in-time membership, only members', async () => {
    await world.owner.query(`update identity_providers set just_in_time = false, updated_at = now() where id = $1`, [
      provider,
    ]);
    const page = await signIn();
    await world.owner.query(`update identity_providers set just_in_time = true, updated_at = now() where id = $1`, [
      provider,
    ]);
    expect([page.status, page.text]).toEqual([403, expect.stringContaining('signing in does not make you one')]);
  });

  test('a person with the e-mail of an account here is somebody else', async () => {
    const boss = await world.addPerson('boss@company.example', { [acme]: 'owner' });
    await company.tell({ person: { ...ANNA, sub: 'impostor', email: 'boss@company.example' } });
    const answer = await world.redeem(client, locationOf(await signIn()).searchParams.get('code'), resource);
    const payload = JSON.parse(
      Buffer.from(String(answer.body['access_token']).split('.')[1] ?? '', 'base64').toString(),
    );
    expect(payload.sub).not.toBe(boss);
    const { rows } = await world.owner.query(`select role from members where account_id = $1`, [payload.sub]);
    expect(rows).toEqual([{ role: 'developer' }]);
  });
});

describe('who was let in once', () => {
  async function signedIn(): Promise<{ refresh: unknown }> {
    const answer = await world.redeem(client, locationOf(await signIn()).searchParams.get('code'), resource);
    expect(answer.status).toBe(200);
    return { refresh: answer.body['refresh_token'] };
  }
  const grantsHeld = async () =>
    (await world.owner.query(`select 1 from grants where tenant_id = $1 and revoked_at is null`, [acme])).rowCount;

  beforeEach(() => world.owner.query(`delete from grants where tenant_id = $1`, [acme]));

  test('gets another role with other groups', async () => {
    await signedIn();
    await world.owner.query(
      `update identity_providers set group_roles = '[{"group":"engineers","role":"developer"},{"group":"leads","role":"admin"}]',
         updated_at = now() where id = $1`,
      [provider],
    );
    await company.tell({ person: { ...ANNA, groups: ['engineers', 'leads'] } });
    await signedIn();
    expect(await membersOf(acme)).toEqual(['anna@company.example admin']);
    expect(await world.audited(acme)).toContain('member.role_changed ok');
  });

  test('loses role, membership and everything agents hold with the group', async () => {
    const { refresh } = await signedIn();
    expect(await grantsHeld()).toBe(1);
    await company.tell({ person: { ...ANNA, groups: [] } });
    expect((await signIn()).status).toBe(403);
    expect([await membersOf(acme), await grantsHeld()]).toEqual([[], 0]);
    expect((await world.refresh(client, refresh, resource)).body).toMatchObject({ error: 'invalid_grant' });
    expect(await world.audited(acme)).toContain('member.removed ok');
  });

  test('gets no new token when the provider was not asked for too long', async () => {
    const { refresh } = await signedIn();
    await world.owner.query(`update federated_identities set signed_in_at = now() - interval '169 hours'`);
    expect((await world.refresh(client, refresh, resource)).body).toMatchObject({ error: 'invalid_grant' });
    await signedIn();
  });

  test('has no access where the provider is gone', async () => {
    const { refresh } = await signedIn();
    await world.owner.query(`update identity_providers set issuer = 'https://gone.example' where id = $1`, [provider]);
    const answer = await world.refresh(client, refresh, resource);
    await world.owner.query(`update identity_providers set issuer = $2 where id = $1`, [provider, company.issuer]);
    expect(answer.body).toMatchObject({ error: 'invalid_grant' });
  });
});

describe('another tenant', () => {
  const twinResource = () => `${world.url}/t/twin/mcp`;

  test('does not offer the provider, nor takes it when it is named', async () => {
    const browser = newBrowser();
    const login = await browser.open(world.authorizeUrl(client, twinResource()));
    expect(login.text).not.toContain('Continue with');
    const hinted = await browser.submit(login, { email: 'anna@company.example', password: '', action: 'login' });
    expect(hinted.status).toBe(401);
    const page = await browser.submit(login, { provider, action: 'forward' });
    expect([page.headers.get('refresh'), page.text]).toEqual([null, expect.stringContaining('name="password"')]);
  });

  test('gives a person of the provider nothing at its URLs, whoever they are signed in as', async () => {
    const browser = newBrowser();
    const code = locationOf(await signIn(browser));
    expect(code.searchParams.get('code')).not.toBeNull();
    const page = await browser.open(world.authorizeUrl(client, twinResource()));
    expect([page.status, page.text]).toEqual([403, expect.stringContaining('You have no access to CANARY-B')]);
  });

  test('cannot make them a member, by whatever means', async () => {
    locationOf(await signIn());
    const { rows } = await world.owner.query(`select account_id as id from members where tenant_id = $1`, [acme]);
    await expect(
      world.owner.query(`insert into members (tenant_id, account_id, role) values ($1, $2, 'user')`, [
        twin,
        rows[0].id,
      ]),
    ).rejects.toThrow('cannot be a member of another');
  });

  test('with the same provider knows the same person as somebody else', async () => {
    const own = await connectProvider(world, twin, company, { default_role: 'user' });
    locationOf(await signIn());
    const browser = newBrowser();
    const login = await browser.open(world.authorizeUrl(client, twinResource()));
    const asked = await browser.submit(login, { provider: own });
    const leaving = await browser.submit(asked, { provider: own, action: 'forward' });
    locationOf(await browser.open(departureOf(leaving)));
    const { rows } = await world.owner.query(`select count(distinct account_id)::int as people from federated_identities
      where subject = 'anna-1'`);
    expect(rows).toEqual([{ people: 2 }]);
    expect((await world.audited(twin)).join()).not.toContain(acme);
  });
});
