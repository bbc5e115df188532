import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Person } from '#libs/journey';
import { LoginUpstream, openBrowser, startWharf, type Wharf } from '#libs/testing';
import {
  allow,
  asOwner,
  callModern,
  joinTenant,
  legacyAgent,
  logInAt,
  mailboxTool,
  send,
  signUpOwner,
  textOf,
  tokenOf,
  until,
} from './connections.fixture.js';

const WHOSE = { name: 'whose', arguments: {} };

let wharf: Wharf;
let upstream: LoginUpstream;
let chromium: Awaited<ReturnType<typeof openBrowser>>;
let ann: Person & { readonly key: string };
let bob: Person & { readonly key: string };
let url: string;
let annsManagement: string;
let annsToken: string;
let bobsToken: string;

beforeAll(async () => {
  [wharf, upstream, chromium] = await Promise.all([startWharf(), LoginUpstream.start(), openBrowser()]);
  [ann, bob] = [await signUpOwner(wharf, 'acme'), await signUpOwner(wharf, 'twin')];
  for (const slug of ['acme', 'twin']) await allow(wharf, slug, upstream.port);
  await joinTenant(wharf, 'acme', bob);
  const connector = { title: 'Mailbox', resource: upstream.url };
  for (const { key } of [ann, bob]) await send(wharf, 'PUT', '/v1/connectors/mailbox', { key, body: connector });
  url = `${wharf.url}/t/acme/mail/mcp`;
  annsManagement = await tokenOf(wharf, ann, `${wharf.url}/v1/tenants/acme`, 'management');
});
afterAll(async () => {
  await chromium?.close();
  await Promise.all([wharf?.stop(), upstream?.stop()]);
});

const logIn = (link: string, person: Person, as: string): Promise<string> =>
  logInAt({ upstream, chromium }, link, person, as);

test('who publishes logs in first, and the release is built with their own login', async () => {
  const source = {
    kind: 'remote',
    upstreams: [{ name: 'mail', url: upstream.url, auth: { kind: 'connection', connector: 'mailbox' } }],
  };
  await send(wharf, 'POST', '/v1/servers', { key: ann.key, body: { slug: 'mail', name: 'Mail' } });
  const build = (key: string) =>
    send(wharf, 'POST', '/v1/servers/mail/releases', { key, body: { source, publish: true } });
  await expect(build(ann.key)).rejects.toThrow('422');
  await expect(build(annsManagement)).rejects.toThrow('422');
  const started = await send(wharf, 'POST', '/v1/me/connections', {
    key: annsManagement,
    body: { connector: 'mailbox' },
  });
  expect(started).toMatchObject({ state: 'none', connect_url: `${wharf.url}/auth/account/connections/acme/mailbox` });
  expect(await logIn(started.connect_url, ann, 'ann@mail')).toContain('Logged in');
  await build(annsManagement);
  await until(async () => (await send(wharf, 'GET', '/v1/servers/mail', { key: ann.key })).live_release ?? undefined);
  [annsToken, bobsToken] = [await tokenOf(wharf, ann, url, 'mail:read'), await tokenOf(wharf, bob, url, 'mail:read')];
});

test('each person acts with their own login in both eras, and with nobody else’s', async () => {
  expect(textOf(await callModern(url, annsToken, WHOSE))).toContain('mailbox of ann@mail');
  const old = await legacyAgent(url, bobsToken, 'shows none');
  expect((await old.listTools()).tools.map(({ name }) => name)).toEqual(['whose']);
  const told = await old.callTool(WHOSE);
  expect(told).toMatchObject({ isError: true });
  expect(textOf(told)).toContain(`${wharf.url}/auth/account/connections/acme/mailbox`);
  const able = await legacyAgent(url, bobsToken, 'shows urls');
  const link = `${wharf.url}/auth/account/connections/acme/mailbox`;
  await expect(able.callTool(WHOSE)).rejects.toMatchObject({
    code: -32_042,
    data: { elicitations: [{ mode: 'url', url: link }] },
  });
  await logIn(link, bob, 'bob@mail');
  expect(textOf(await old.callTool(WHOSE))).toContain('mailbox of bob@mail');
  expect(textOf(await able.callTool(WHOSE))).toContain('mailbox of bob@mail');
  expect(textOf(await callModern(url, annsToken, WHOSE))).toContain('mailbox of ann@mail');
  const key = textOf(await callModern(url, ann.key, WHOSE));
  expect(key).toContain('API keys and machine clients have none');
  await Promise.all([old.close(), able.close()]);
});

test('an HTTP tool acts with the caller’s own login too', async () => {
  await send(wharf, 'POST', '/v1/servers', { key: ann.key, body: { slug: 'api', name: 'API' } });
  const source = mailboxTool(upstream.issuer);
  await send(wharf, 'POST', '/v1/servers/api/releases', { key: ann.key, body: { source, publish: true } });
  await until(async () => (await send(wharf, 'GET', '/v1/servers/api', { key: ann.key })).live_release ?? undefined);
  const at = `${wharf.url}/t/acme/api/mcp`;
  const [anns, bobs] = [await tokenOf(wharf, ann, at, 'api:read'), await tokenOf(wharf, bob, at, 'api:read')];
  for (const [token, whose] of [
    [anns, 'ann@mail'],
    [bobs, 'bob@mail'],
  ] as const)
    expect(textOf(await callModern(at, token, { name: 'mailbox' }))).toContain(`\\"mailbox\\":\\"${whose}\\"`);
  const forged = await callModern(at, anns, { name: 'mailbox', requestState: 'somebody’s' });
  expect(forged.body.error.code).toBe(-32_602);
});

test('nothing leaves for an upstream before the person has agreed, and only who began comes back', async () => {
  const link = `${wharf.url}/auth/account/connections/acme/mailbox`;
  const before = (await upstream.tell({ person: 'eve@mail' })).authorizations;
  const anns = await chromium.newContext({ locale: 'en-GB' });
  const page = await anns.newPage();
  await page.goto(link);
  await page.getByLabel('E-mail').fill(ann.email);
  await page.getByLabel('Password').fill(ann.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('button', { name: 'Log in again at Mailbox' }).waitFor();
  const forged = await anns.request.post(link, { form: { action: 'connect', tenant: 'acme', connector: 'mailbox' } });
  expect([forged.status(), (await upstream.tell()).authorizations - before]).toEqual([400, 0]);
  const csrf = await page.locator('input[name="csrf"]').first().inputValue();
  const told = await page.locator('input[name="told"]').first().inputValue();
  const form = { csrf, told, action: 'connect', tenant: 'acme', connector: 'mailbox' };
  const leaving = await anns.request.post(link, { form, headers: { origin: wharf.url } });
  let back = (leaving.headers()['refresh'] ?? '').replace('0; url=', '');
  for (let hop = 0; hop < 10 && !back.includes('/callback?'); hop += 1) {
    const answer = await anns.request.get(back, { maxRedirects: 0 });
    back = new URL(answer.headers()['location'] ?? '', back).href;
  }
  const bobs = await chromium.newContext({ locale: 'en-GB' });
  const others = await bobs.newPage();
  await others.goto(link);
  await others.getByLabel('E-mail').fill(bob.email);
  await others.getByLabel('Password').fill(bob.password);
  await others.getByRole('button', { name: 'Sign in', exact: true }).click();
  await others.getByRole('button', { name: 'Log in again at Mailbox' }).waitFor();
  expect((await others.goto(back))?.status()).toBe(400);
  expect((await fetch(back)).status).toBe(400);
  const elsewhere = back.replace('/acme/mailbox/', '/acme/other/');
  expect((await anns.request.get(elsewhere)).status()).toBe(400);
  expect((await page.goto(back))?.status()).toBe(200);
  expect((await page.goto(back))?.status()).toBe(400);
  expect(textOf(await callModern(url, annsToken, WHOSE))).toContain('mailbox of eve@mail');
  expect(textOf(await callModern(url, bobsToken, WHOSE))).toContain('mailbox of bob@mail');
  await Promise.all([anns.close(), bobs.close()]);
  await logIn(link, ann, 'ann@mail');
});

test('what one tenant’s connector was given is nothing at another’s, also for the same person', async () => {
  const own = await tokenOf(wharf, bob, `${wharf.url}/v1/tenants/twin`, 'management');
  expect((await send(wharf, 'GET', '/v1/me/connections', { key: own })).connections).toMatchObject([{ state: 'none' }]);
  const seen = await send(wharf, 'GET', '/v1/connectors/mailbox/connections', { key: bob.key });
  expect(seen.connections).toEqual([]);
  const inAcme = await send(wharf, 'GET', '/v1/connectors/mailbox/connections', { key: ann.key });
  expect(inAcme.connections.map((each: { email: string }) => each.email).toSorted()).toEqual([ann.email, bob.email]);
  const stored = await asOwner(wharf, (db) => db.query(`select encode(ciphertext, 'escape') as text from connections`));
  expect(textOf(stored.rows) + textOf(inAcme)).not.toMatch(/access_?token|refresh_?token/i);
});

test('twenty calls with a token that has ended make one refresh, and the next one uses the rotated token', async () => {
  for (const round of [1, 2]) {
    await callModern(url, annsToken, WHOSE); // with the token that ends
    const before = await upstream.tell({ expire: true });
    const calls = await Promise.all(Array.from({ length: 20 }, () => callModern(url, annsToken, WHOSE)));
    for (const call of calls) expect(textOf(call)).toContain('mailbox of ann@mail');
    expect([round, (await upstream.tell()).refreshes - before.refreshes]).toEqual([round, 1]);
  }
});

test('M-14 a tool that needs a login of a client that cannot show URLs is 400 -32021 with the capability', async () => {
  await send(wharf, 'DELETE', '/v1/me/connections/mailbox', { key: annsManagement });
  const { status, body } = await callModern(url, annsToken, { ...WHOSE, urls: false });
  expect([status, body.error.code]).toEqual([400, -32_021]);
  expect(body.error.data).toEqual({ requiredCapabilities: { elicitation: { url: {} } } });
  expect(body.error.message).toContain(`${wharf.url}/auth/account/connections/acme/mailbox`);
  await until(async () => ((await upstream.tell()).revocations >= 2 ? true : undefined));
});

test('M-22 a requestState that was altered, used, or is another’s or of another request runs nothing', async () => {
  const asked = await callModern(url, annsToken, WHOSE);
  expect(asked.body.result).toMatchObject({
    resultType: 'input_required',
    inputRequests: { login: { method: 'elicitation/create', params: { mode: 'url' } } },
  });
  const { requestState, inputRequests } = asked.body.result;
  await logIn(inputRequests.login.params.url, ann, 'ann@mail');
  const before = (await upstream.tell()).calls;
  const inputResponses = { login: { action: 'accept' } };
  const altered = `${requestState.slice(0, -1)}${requestState.endsWith('A') ? 'B' : 'A'}`;
  const attempts = [
    callModern(url, annsToken, { ...WHOSE, inputResponses, requestState: altered }),
    callModern(url, bobsToken, { ...WHOSE, inputResponses, requestState }),
    callModern(url, annsToken, { ...WHOSE, arguments: { other: 1 }, inputResponses, requestState }),
  ];
  for (const { body } of await Promise.all(attempts)) expect(body.error.code).toBe(-32_602);
  expect((await upstream.tell()).calls).toEqual(before);
  expect(textOf(await callModern(url, annsToken, { ...WHOSE, inputResponses, requestState }))).toContain('of ann@mail');
  const again = await callModern(url, annsToken, { ...WHOSE, inputResponses, requestState });
  expect(again.body.error.code).toBe(-32_602);
});

test('O-38 an upstream that names another authorization server is never given what was granted by the first', async () => {
  const other = await LoginUpstream.start();
  await allow(wharf, 'acme', other.port);
  const before = await upstream.tell({ issuer: other.issuer, expire: true });
  expect(textOf(await callModern(url, annsToken, WHOSE))).toContain('mailbox of ann@mail');
  expect((await upstream.tell()).refreshes).toBe(before.refreshes + 1);
  const body = { title: 'Mailbox', resource: upstream.url };
  const moved = await send(wharf, 'PUT', '/v1/connectors/mailbox', { key: ann.key, body });
  expect(moved.issuer).toBe(other.issuer);
  expect((await callModern(url, annsToken, WHOSE)).body.result.resultType).toBe('input_required');
  expect(await other.tell()).toMatchObject({ refreshes: 0, revocations: 0, authorizations: 0 });
  await upstream.tell({ issuer: upstream.issuer });
  await send(wharf, 'PUT', '/v1/connectors/mailbox', { key: ann.key, body });
  await other.stop();
});

test('an upstream that takes a login back is logged in at again, and the log says so', async () => {
  const link = `${wharf.url}/auth/account/connections/acme/mailbox`;
  await logIn(link, ann, 'ann@mail');
  expect(textOf(await callModern(url, annsToken, WHOSE))).toContain('mailbox of ann@mail');
  await upstream.tell({ end: 'ann@mail', expire: true });
  expect((await callModern(url, annsToken, WHOSE)).body.result.resultType).toBe('input_required');
  const { connections } = await send(wharf, 'GET', '/v1/me/connections', { key: annsManagement });
  expect(connections).toMatchObject([{ connector: 'mailbox', state: 'reconnect' }]);
  await logIn(link, ann, 'ann@mail');
  expect(textOf(await callModern(url, annsToken, WHOSE))).toContain('mailbox of ann@mail');
  for (const event of ['connection.made', 'connection.ended', 'connection.taken_back', 'connector.written'])
    await until(
      async () => (await send(wharf, 'GET', `/v1/audit?event=${event}`, { key: ann.key })).records.length > 0,
      event,
    );
});

test('a person who leaves the tenant leaves nothing at the upstream', async () => {
  const before = await upstream.tell();
  const held = async () =>
    (
      await asOwner(wharf, (db) =>
        db.query(`select account_id from connections union all select account_id from connection_endings`),
      )
    ).rows.length;
  const { members } = await send(wharf, 'GET', '/v1/members', { key: annsManagement });
  const ended: { account_id?: string; id?: string } = members.find(
    (each: { email: string }) => each.email === bob.email,
  );
  await logIn(`${wharf.url}/auth/account/connections/acme/mailbox`, bob, 'bob@mail');
  await send(wharf, 'DELETE', `/v1/members/${ended.id ?? ended.account_id ?? ''}`, { key: annsManagement });
  await until(async () =>
    (await upstream.tell()).revocations > before.revocations && (await held()) === 1 ? true : undefined,
  );
});
