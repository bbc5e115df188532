import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  AuthWorld,
  locationOf,
  loginFields,
  WEB_CLIENT,
  type AuthorizeChanges,
} from '../testing/auth-world.fixture.js';
import { refusalAt, refusalBehind, refusalOn, type Browser } from '../testing/browser.fixture.js';

const EMAIL = 'ana@acme.test';
const PHISHING = { redirect_uris: ['https://phishing.example/'] };
const REFUSED: ReadonlyArray<[string, AuthorizeChanges, string]> = [
  ['lacks PKCE (O-03)', { code_challenge: null, code_challenge_method: null }, 'invalid_request'],
  ['names no resource', { resource: null }, 'invalid_target'],
  ['names a foreign resource', { resource: 'https://elsewhere.example/mcp' }, 'invalid_target'],
  ['wants an answer without a page', { prompt: 'none' }, 'login_required'],
  ['wants its answer in a form', { response_mode: 'form_post' }, 'invalid_request'],
  ['wants a token at once', { response_type: 'token' }, 'unsupported_response_type'],
  ['asks for a scope that is not', { scope: 'management' }, 'invalid_scope'],
];
let world: AuthWorld;
let mcp: string;

beforeAll(async () => {
  world = await AuthWorld.open({ WHARF_REGISTRATIONS_PER_HOUR: '1000' });
  const acme = await world.addTenant('acme', 'Acme');
  await world.addPerson(EMAIL, { [acme]: 'user' });
  mcp = `${world.url}/t/acme/mcp`;
});
afterAll(async () => world.close());

describe('O-19: an authorization request is refused that', () => {
  test.each(REFUSED)('%s: an app on the visitor’s machine hears of it at once', async (_how, changes, error) => {
    const client = await world.register();
    const answer = await world.browser().open(world.authorizeUrl(client, mcp, changes));
    expect(refusalAt(answer)).toMatch(new RegExp(`^${error} `));
  });

  test.each(REFUSED)('%s: a website that nobody let in gets no redirect but a link', async (_how, changes, error) => {
    const client = await world.register(PHISHING);
    const page = await world.browser().open(world.authorizeUrl(client, mcp, changes));
    expect(refusalOn(page)).toMatch(new RegExp(`^${error} `));
    expect(page.headers.get('refresh')).toBeNull();
    expect(refusalBehind(page)).toEqual({ host: 'phishing.example', refusal: expect.stringMatching(`^${error} `) });
  });

  test.each(REFUSED)('%s: a website hears of it where it was let in before', async (_how, changes, error) => {
    const [client, browser] = [await world.register(WEB_CLIENT), world.browser()];
    await world.authorize(client, mcp, EMAIL, browser);
    await endSession(browser);
    expect(refusalAt(await browser.open(world.authorizeUrl(client, mcp, changes)))).toMatch(new RegExp(`^${error} `));
  });

  test('comes from a redirect URI that is not registered: there is no way back', async () => {
    const client = await world.register(PHISHING);
    for (const uri of ['https://elsewhere.example/', 'https://phishing.example/x']) {
      const changes = { redirect_uri: uri, code_challenge: null };
      const page = await world.browser().open(world.authorizeUrl(client, mcp, changes));
      expect([page.status, page.headers.get('location'), page.text.includes('href="https')]).toEqual([
        400,
        null,
        false,
      ]);
    }
  });

  test('comes from another client, or leads elsewhere, than what was let in: a link', async () => {
    const browser = world.browser();
    const uris = ['https://app.example/callback', 'https://app.example/other'];
    const client = await world.register({ redirect_uris: uris });
    await world.authorize(client, mcp, EMAIL, browser);
    const changes = { code_challenge: null, redirect_uri: uris[1] ?? '' };
    expect(refusalBehind(await browser.open(world.authorizeUrl(client, mcp, changes))).host).toBe('app.example');
    const other = await world.register({ redirect_uris: uris });
    expect(refusalBehind(await browser.open(world.authorizeUrl(other, mcp, { code_challenge: null }))).host).toBe(
      'app.example',
    );
  });
});

test.each([
  ['lacks PKCE', { code_challenge: null, code_challenge_method: null }, 'Update this app, then connect again'],
  ['is not protected enough', { code_challenge_method: 'plain' }, 'Update this app, then connect again'],
  ['names no resource', { resource: null }, 'Update this app, then connect again'],
  ['wants an answer without a page', { prompt: 'none' }, 'Connect again from your app'],
])('the heading of the page about a request that %s says what to do', async (_how, changes, heading) => {
  const page = await world.browser().open(world.authorizeUrl(await world.register(PHISHING), mcp, changes));
  expect(page.text).toContain(`<h1>${heading}</h1>`);
});

test.each([
  ['suspended', null, 'This tenant is suspended', /is suspended\. Only the operator/],
  ['to be deleted', '2031-05-06T10:00:00Z', 'This tenant is being deleted', /to be deleted, and nothing/],
])('the page about a tenant that is %s says so, and does not blame the app', async (_how, due, heading, detail) => {
  const gone = await world.addTenant(`gone-${due === null ? 'now' : 'later'}`);
  await world.owner.query(`update tenants set status = 'suspended', deletion_due_at = $2 where id = $1`, [gone, due]);
  const resource = `${world.url}/t/gone-${due === null ? 'now' : 'later'}/mcp`;
  const page = await world.browser().open(world.authorizeUrl(await world.register(PHISHING), resource));
  expect(page.text).toContain(`<h1>${heading}</h1>`);
  expect(page.text).toMatch(detail);
  expect(page.text).not.toContain('Update this app');
});

test('a client document that cannot be used is said to be what is wrong, and not the connection', async () => {
  const changes = { client_id: 'https://169.254.169.254/client.json' };
  const page = await world.browser().open(world.authorizeUrl(await world.register(), mcp, changes));
  expect(refusalOn(page)).toMatch(/^invalid_client /);
  expect(page.text).toContain('in a document at 169.254.169.254');
  expect(page.text).not.toContain('registration may have expired');
});

describe('prompt=none', () => {
  const silently = (scope?: string): AuthorizeChanges => ({
    prompt: 'none',
    ...(scope === undefined ? {} : { scope }),
  });

  test('renews a consent that is held, without a page', async () => {
    const [client, browser] = [await world.register(WEB_CLIENT), world.browser()];
    await world.authorize(client, mcp, EMAIL, browser);
    const location = locationOf(await browser.open(world.authorizeUrl(client, mcp, silently())));
    expect((await world.redeem(client, location.searchParams.get('code'), mcp)).status).toBe(200);
  });

  test('answers consent_required at a website that is to be allowed more than it was', async () => {
    const [client, browser] = [await world.register(WEB_CLIENT), world.browser()];
    await world.authorize(client, mcp, EMAIL, browser);
    expect(refusalAt(await browser.open(world.authorizeUrl(client, mcp, silently('mcp'))))).toMatch(
      /^consent_required /,
    );
  });

  test('shows who is signed in a page before a stranger hears that they are', async () => {
    const browser = world.browser();
    await world.authorize(await world.register(WEB_CLIENT), mcp, EMAIL, browser);
    const page = await browser.open(world.authorizeUrl(await world.register(PHISHING), mcp, silently()));
    expect(refusalBehind(page)).toMatchObject({ host: 'phishing.example' });
  });

  test('never lets an app on the visitor’s machine in without them (RFC 8252 §8.6)', async () => {
    const [client, browser] = [await world.register(), world.browser()];
    await world.authorize(client, mcp, EMAIL, browser);
    expect(refusalAt(await browser.open(world.authorizeUrl(client, mcp, silently())))).toMatch(
      /^(interaction|consent)_required /,
    );
  });
});

test('a person who refuses sends the client an error with state and iss (O-19)', async () => {
  const browser = world.browser();
  const login = await browser.open(world.authorizeUrl(await world.register(PHISHING), mcp));
  const consent = await browser.submit(login, loginFields(EMAIL));
  expect(refusalAt(await browser.submit(consent, { action: 'deny' }))).toMatch(/^access_denied /);
});

async function endSession(browser: Browser): Promise<void> {
  await world.owner.query(`delete from oauth_artifacts where model = 'Session'`);
  expect((await browser.open(`${world.url}/auth/sessions`)).text).toContain('name="password"');
}
