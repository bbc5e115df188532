import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { until } from '#libs/testing';
import { locationOf } from '../testing/auth-world.fixture.js';
import { Browser } from '../testing/browser.fixture.js';
import { ANNA, departureOf, FederationWorld } from '../testing/federation-world.fixture.js';

let f: FederationWorld;

beforeAll(async () => {
  f = await FederationWorld.open();
});
afterAll(() => f?.close());
beforeEach(() => f.begin());

test('somebody new signs in with the tenant’s provider, becomes a member by group, and gets a token for that URL', async () => {
  const browser = f.newBrowser();
  const login = await f.loginPage(browser);
  expect(login.text).toContain('Continue with Company');
  const asked = await browser.submit(login, { provider: f.provider });
  expect(asked.text).toContain('Test client');
  expect(asked.text).toContain('127.0.0.1:9 (your own computer)');
  expect(asked.text).toContain(`Company (localhost:${f.company.port})`);
  const leaving = await browser.submit(asked, { provider: f.provider, action: 'forward' });
  const location = locationOf(await browser.open(departureOf(leaving)));
  const answer = await f.world.redeem(f.client, location.searchParams.get('code'), f.resource);
  expect([answer.status, await f.members()]).toEqual([200, ['anna@company.example developer']]);
  expect(await f.world.audited(f.acme)).toEqual(
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
    ['without a nonce that is one', { forged: { nonce: 7 } }],
    ['without a subject', { forged: { sub: undefined } }],
    ['that nobody signed', { signature: 'none' as const }],
    ['that somebody else signed', { signature: 'foreign' as const }],
  ])('%s', async (_, told) => {
    await f.company.tell({ person: ANNA, ...told });
    const before = (await f.world.audited(f.acme)).length;
    const page = await f.signIn();
    expect([page.status, page.text]).toEqual([400, expect.stringContaining('could not be verified')]);
    expect([await f.members(), (await f.world.audited(f.acme)).slice(before)]).toEqual([
      [],
      ['login.failed answer-refused'],
    ]);
  });
});

test('the connection doctor hears at which rule a sign-in at the provider failed', async () => {
  const noted = async (rule: string): Promise<void> => {
    const found = (): Promise<{ rowCount: number | null }> =>
      f.world.owner.query(`delete from connect_steps where tenant_id = $1 and step = 'login' and rule = $2`, [
        f.acme,
        rule,
      ]);
    await until(async () => (await found()).rowCount !== 0, rule);
  };
  await f.company.tell({ person: ANNA, forged: { nonce: 'another' } });
  await f.signIn();
  await noted('provider_answer_refused');
  await f.company.tell({ person: { ...ANNA, groups: [] } });
  await f.signIn();
  await noted('provider_person_refused');
  const browser = f.newBrowser();
  const departure = new URL(await f.depart(browser));
  const back = new URL(departure.searchParams.get('redirect_uri') ?? '');
  back.search = new URLSearchParams({
    error: 'access_denied',
    state: departure.searchParams.get('state') ?? '',
  }).toString();
  expect((await browser.open(back.href)).status).toBe(403);
  await noted('provider_turned_away');
});

test('the tenant’s log says what was wrong with an answer, and not whom it was about', async () => {
  await f.company.tell({ person: ANNA, forged: { nonce: 'another' } });
  await f.signIn();
  const { rows } = await f.world.owner.query(
    `select details ->> 'reason' as reason from audit_records where tenant_id = $1 order by id desc limit 1`,
    [f.acme],
  );
  expect(rows).toEqual([{ reason: expect.stringContaining('nonce') }]);
  expect(JSON.stringify(rows)).not.toContain('anna');
});

describe('a state', () => {
  /** What the provider would send the browser back with. */
  async function callbackOf(browser: Browser): Promise<string> {
    const url = await f.depart(browser);
    const visitor = new Browser(f.company.issuer);
    return locationOf(await visitor.open(url)).href;
  }

  test('counts once', async () => {
    const browser = f.newBrowser();
    const callback = await callbackOf(browser);
    expect((await browser.open(callback)).status).toBe(303);
    const again = await browser.open(callback);
    expect([again.status, again.text]).toEqual([400, expect.stringContaining('finished already')]);
  });

  test('of many requests at once serves one', async () => {
    const browser = f.newBrowser();
    const callback = await callbackOf(browser);
    const pages = await Promise.all(Array.from({ length: 8 }, () => browser.open(callback)));
    expect(pages.filter(({ status }) => status === 303)).toHaveLength(1);
  });

  test('of another browser is refused, and stays good for its own', async () => {
    const [victim, stranger] = [f.newBrowser(), f.newBrowser()];
    const callback = await callbackOf(victim);
    await f.depart(stranger);
    for (const browser of [stranger, f.newBrowser()]) {
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
    const browser = f.newBrowser();
    const url = new URL(await callbackOf(browser));
    change(url);
    expect((await browser.open(url.href)).status).toBe(400);
  });

  test('is refused with the answer of another issuer (RFC 9207)', async () => {
    const browser = f.newBrowser();
    const url = new URL(await callbackOf(browser));
    url.searchParams.set('iss', 'https://evil.example');
    const page = await browser.open(url.href);
    expect([page.status, page.text]).toEqual([400, expect.stringContaining('could not be verified')]);
  });

  test('lives ten minutes at most', async () => {
    const browser = f.newBrowser();
    const callback = await callbackOf(browser);
    const { rows } = await f.world.owner.query(
      `select max(extract(epoch from expires_at - now())) as seconds from oauth_artifacts where model = 'FederationAttempt'`,
    );
    expect(Number(rows[0].seconds)).toBeLessThanOrEqual(600);
    await f.world.owner.query(`update oauth_artifacts set expires_at = now() where model = 'FederationAttempt'`);
    expect((await browser.open(callback)).status).toBe(400);
  });

  test('is bound by a cookie that scripts cannot read', async () => {
    const browser = f.newBrowser();
    const asked = await f.askedBy(browser);
    const leaving = await browser.submit(asked, { provider: f.provider, action: 'forward' });
    expect(leaving.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^wharf_federation=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600$/),
    ]);
  });
});

describe('nothing leaves for the provider', () => {
  const attempts = async () =>
    (await f.world.owner.query(`select 1 from oauth_artifacts where model = 'FederationAttempt'`)).rowCount;

  test('before the person agreed, or without the page’s own form', async () => {
    const before = await attempts();
    const browser = f.newBrowser();
    const login = await f.loginPage(browser);
    const asked = await browser.submit(login, { provider: f.provider });
    expect(asked.headers.get('refresh')).toBeNull();
    const forged = await browser.post(login.url, { csrf: 'forged', provider: f.provider, action: 'forward' });
    expect([forged.status, forged.headers.get('refresh'), await attempts()]).toEqual([400, null, before]);
  });

  test('when the person denies', async () => {
    const browser = f.newBrowser();
    const asked = await f.askedBy(browser);
    const location = locationOf(await browser.submit(asked, { provider: f.provider, action: 'deny' }));
    expect(location.searchParams.get('error')).toBe('access_denied');
  });

  test('while the provider is away: a clear page, and the other ways stay open', async () => {
    await f.company.stop();
    await f.forgetCompany();
    const browser = f.newBrowser();
    const asked = await f.askedBy(browser);
    const page = await browser.submit(asked, { provider: f.provider, action: 'forward' });
    expect([page.status, page.text]).toEqual([502, expect.stringContaining('Company cannot be reached')]);
    expect((await browser.open(asked.url)).text).toContain('name="password"');
    await f.restartCompany();
  });
});

test('a provider that goes away while the person is there leaves a clear page', async () => {
  const browser = f.newBrowser();
  const callback = locationOf(await new Browser(f.company.issuer).open(await f.depart(browser))).href;
  await f.company.stop();
  const page = await browser.open(callback);
  expect([page.status, page.text]).toEqual([502, expect.stringContaining('Company cannot be reached')]);
  await f.restartCompany();
});

test('a person whom the provider turns away reads so', async () => {
  await f.company.tell({ refuses: true });
  const page = await f.signIn();
  expect([page.status, page.text]).toEqual([403, expect.stringContaining('Company did not sign you in')]);
});

test('their account page says that the provider looks after how they sign in, and changes nothing', async () => {
  await f.begin();
  const browser = f.newBrowser();
  await f.signIn(browser);
  const page = await browser.open(`${f.world.url}/auth/account`);
  expect([page.status, page.text]).toEqual([200, expect.stringContaining('company’s provider')]);
  expect(page.text).not.toContain('name="old"');
  const refused = await browser.submit(page, { action: 'send-link' });
  expect(refused.status).toBe(400);
  const { rows } = await f.world.owner.query(`select count(*)::int as mails from mail_outbox`);
  expect(rows).toEqual([{ mails: 0 }]);
});
