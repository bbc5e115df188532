import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
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
beforeEach(() => company.tell({ person: ANNA }));

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
