import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { AuthWorld, loginFields, type Answered, type TestClient } from '../testing/auth-world.fixture.js';
import type { Browser, Visited } from '../testing/browser.fixture.js';
import { DEVICE_CODE } from './device-flow.js';

const ANA = 'ana@acme.example';

let world: AuthWorld;
let acme: string;
let orders: string;
let device: TestClient;

beforeAll(async () => {
  world = await AuthWorld.open();
  acme = await world.addTenant('acme', 'Acme Inc.');
  await world.addServer(acme, 'orders');
  await world.addPerson(ANA, { [acme]: 'user' });
  orders = `${world.url}/t/acme/orders/mcp`;
  device = await newDevice();
});

afterAll(() => world.close());

function newDevice(): Promise<TestClient> {
  return world.register({
    client_name: '<b>Robot</b>',
    redirect_uris: [],
    grant_types: [DEVICE_CODE, 'refresh_token'],
    response_types: [],
  });
}

function start(changes: Readonly<Record<string, string>> = {}, of = device): Promise<Answered> {
  return world.form('/auth/device/auth', { client_id: of.client_id, resource: orders, ...changes });
}

function poll(started: Answered, changes: Readonly<Record<string, string>> = {}, of = device): Promise<Answered> {
  return world.token(of, {
    grant_type: DEVICE_CODE,
    device_code: String(started.body['device_code']),
    resource: orders,
    ...changes,
  });
}

/** Sends the form of a device page as its button does. */
function press(browser: Browser, page: Visited, fields: Record<string, string>, site = world.url): Promise<Visited> {
  const xsrf = /name="xsrf" value="([^"]*)"/.exec(page.text)?.[1] ?? '';
  return browser.post(`${site}/auth/device`, { xsrf, ...fields });
}

async function enter(browser: Browser, code: string): Promise<Visited> {
  return press(browser, await browser.open(`${world.url}/auth/device`), { user_code: code });
}

/** The person goes from the code to the page that asks what the app may do. */
async function toConsent(started: Answered, browser: Browser): Promise<Visited> {
  const code = String(started.body['user_code']);
  let page = await press(browser, await enter(browser, code), { user_code: code, confirm: 'yes' });
  if (page.text.includes('name="password"')) page = await browser.submit(page, loginFields(ANA));
  return page;
}

describe('an agent without a browser', () => {
  test('gets a code to show, waits, and has a token for exactly its tenant URL when the person has allowed it', async () => {
    const started = await start({ scope: 'orders:read offline_access' });
    expect([started.status, started.body]).toEqual([
      200,
      {
        device_code: expect.any(String),
        user_code: expect.stringMatching(/^[B-Z]{4}-[B-Z]{4}$/),
        verification_uri: `${world.url}/auth/device`,
        verification_uri_complete: `${world.url}/auth/device?user_code=${String(started.body['user_code'])}`,
        expires_in: 600,
      },
    ]);
    expect((await poll(started, { resource: orders })).body['error']).toBe('authorization_pending');
    const browser = world.browser();
    const consent = await toConsent(started, browser);
    for (const words of ['&lt;b&gt;Robot&lt;/b&gt;', 'another device', orders, 'Read at orders', ANA])
      expect(consent.text).toContain(words);
    const done = await browser.submit(consent, { action: 'allow' });
    expect([done.status, done.text]).toEqual([200, expect.stringContaining('Your device is connected')]);

    const { status, body } = await poll(started, { resource: orders });
    expect([status, body['scope']]).toEqual([200, 'orders:read']);
    const claims = decodeJwt(String(body['access_token']));
    expect(claims).toMatchObject({ aud: orders, tenant: acme, client_id: device.client_id, scope: 'orders:read' });
    expect((await world.refresh(device, body['refresh_token'], orders)).status).toBe(200);
    const { rows } = await world.owner.query(`select resource, client_name, redirect_host from grants where id = $1`, [
      claims['gid'],
    ]);
    expect(rows).toEqual([{ resource: orders, client_name: '<b>Robot</b>', redirect_host: null }]);
    expect(await world.audited(acme)).toEqual(
      expect.arrayContaining(['consent.granted ok', 'token.issued ok', 'login.succeeded ok']),
    );
  });

  test('that uses its code a second time loses what it got', async () => {
    const started = await start();
    const browser = world.browser();
    await browser.submit(await toConsent(started, browser), { action: 'allow' });
    const { body } = await poll(started);
    expect((await poll(started)).body['error']).toBe('invalid_grant');
    const { rows } = await world.owner.query(`select revoked_at is not null as revoked from grants where id = $1`, [
      decodeJwt(String(body['access_token']))['gid'],
    ]);
    expect(rows).toEqual([{ revoked: true }]);
  });

  test('that asks too often is told to slow down', async () => {
    const started = await start();
    const errors = new Set<unknown>();
    for (let at = 0; at < 5; at += 1) errors.add((await poll(started)).body['error']);
    expect(errors).toEqual(new Set(['authorization_pending', 'slow_down']));
  });

  test.each<[string, Readonly<Record<string, string>>, string]>([
    ['without a resource', { resource: '' }, 'invalid_target'],
    ['for an unknown resource', { resource: 'http://localhost:1/t/acme/mcp' }, 'invalid_target'],
    ['for a scope that is not offered', { scope: 'orders:write' }, 'invalid_scope'],
    ['as an unknown client', { client_id: 'nobody' }, 'invalid_client'],
  ])('is refused %s', async (_, changes, error) => {
    expect((await start(changes)).body['error']).toBe(error);
  });

  test('cannot have two resources, another one than it asked for, or another client’s code', async () => {
    const twice = await fetch(`${world.url}/auth/device/auth`, {
      method: 'POST',
      body: new URLSearchParams([
        ['client_id', device.client_id],
        ['resource', orders],
        ['resource', `${world.url}/t/acme/mcp`],
      ]),
    });
    expect(await twice.json()).toMatchObject({ error: 'invalid_target' });
    const started = await start();
    expect((await poll(started, { resource: `${world.url}/t/acme/mcp` })).body['error']).toBe('invalid_target');
    expect((await poll(started, {}, await newDevice())).body['error']).toBe('invalid_grant');
  });

  test('(O-42) with a secret cannot have it guessed here: wrong ones count with those at the token endpoint', async () => {
    const own = await AuthWorld.open();
    const client = await own.register({
      redirect_uris: [],
      response_types: [],
      grant_types: [DEVICE_CODE],
      token_endpoint_auth_method: 'client_secret_post',
    });
    const guess = (path: string) =>
      own.form(path, { client_id: client.client_id, client_secret: 'wrong', grant_type: DEVICE_CODE });
    for (let at = 0; at < 20; at += 1) expect((await guess('/auth/device/auth')).status).toBe(401);
    expect((await guess('/auth/device/auth')).status).toBe(429);
    expect((await guess('/auth/token')).status).toBe(429);
    await own.close();
  });

  test('may only begin when it registered for it', async () => {
    const other = await world.register();
    expect((await start({}, other)).status).toBe(400);
  });
});

describe('the person', () => {
  test('sees a code from a link filled in, and has to compare and confirm it all the same', async () => {
    const started = await start();
    const browser = world.browser();
    const linked = await browser.open(String(started.body['verification_uri_complete']));
    expect(linked.text).toContain(`value="${String(started.body['user_code'])}"`);
    expect(linked.headers.get('content-security-policy')).toContain(`frame-ancestors 'none'`);
    const check = await press(browser, linked, { user_code: String(started.body['user_code']).toLowerCase() });
    expect(check.text).toContain('Is this your device?');
    expect(check.text).toContain('&lt;b&gt;Robot&lt;/b&gt;');
    expect((await poll(started)).body['error']).toBe('authorization_pending');
  });

  test('stops it before signing in, or denies it after: the device is told, and the code is used up', async () => {
    const [stopped, denied] = [await start(), await start()];
    const browser = world.browser();
    const code = String(stopped.body['user_code']);
    const page = await press(browser, await enter(browser, code), { user_code: code, abort: 'yes' });
    expect(page.text).toContain('The connection was stopped');
    expect((await poll(stopped)).body['error']).toBe('access_denied');
    expect((await enter(browser, code)).text).toContain('used already');
    const after = await browser.submit(await toConsent(denied, browser), { action: 'deny' });
    expect(after.text).toContain('The connection was stopped');
    expect((await poll(denied)).body['error']).toBe('access_denied');
  });

  test('is asked again for every device, also when the same app was allowed before', async () => {
    const browser = world.browser();
    const first = await toConsent(await start(), browser);
    await browser.submit(first, { action: 'allow' });
    expect((await toConsent(await start(), browser)).text).toContain('value="allow"');
  });

  test('is not fooled by a form from elsewhere', async () => {
    const started = await start();
    const browser = world.browser();
    await browser.open(`${world.url}/auth/device`);
    const forged = await browser.post(`${world.url}/auth/device`, {
      xsrf: 'guess',
      user_code: String(started.body['user_code']),
      confirm: 'yes',
    });
    expect(forged.status).toBe(400);
    const { text } = await enter(world.browser(), String(started.body['user_code']));
    expect(text).toContain('Is this your device?');
  });

  test('no more than twenty wrong codes are judged of an address when many come at once (O-42)', async () => {
    const own = await AuthWorld.open();
    const browser = own.browser();
    const page = await browser.open(`${own.url}/auth/device`);
    const enterWrong = () => press(browser, page, { user_code: 'BBBB-BBBB' }, own.url);
    const pages = await Promise.all(Array.from({ length: 60 }, enterWrong));
    expect(pages.filter(({ status }) => status === 400)).toHaveLength(20);
    await own.close();
  });

  test('who enters wrong codes is told, and after twenty has to wait; the code is nowhere in plain text', async () => {
    const started = await start();
    const browser = world.browser();
    const statuses = new Set<number>();
    for (let at = 0; at < 21; at += 1) statuses.add((await enter(browser, 'BBBB-BBBB')).status);
    const limited = await enter(browser, String(started.body['user_code']));
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, expect.stringMatching(/^\d+$/)]);
    expect(statuses).toEqual(new Set([400, 429]));
    const { rows } = await world.owner.query(`select * from oauth_artifacts where model = 'DeviceCode'`);
    expect(JSON.stringify(rows)).not.toContain(String(started.body['user_code']).replace('-', ''));
    expect(JSON.stringify(rows)).not.toContain(String(started.body['device_code']));
  });
});

test('a restart of the authorization server loses no code', async () => {
  const started = await start();
  await world.restart();
  expect((await poll(started)).body['error']).toBe('authorization_pending');
});
