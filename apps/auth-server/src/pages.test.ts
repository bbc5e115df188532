import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AuthWorld, loginFields, REDIRECT, type TestClient } from './testing/auth-world.fixture.js';
import type { Visited } from './testing/browser.fixture.js';

describe('the sign-in and consent pages', () => {
  let world: AuthWorld;
  let acme: string;
  let mcp: string;
  let client: TestClient;

  beforeAll(async () => {
    world = await AuthWorld.open({ WHARF_LOGINS_PER_QUARTER_HOUR: '20' });
    acme = await world.addTenant('acme', '<b>Acme</b>');
    await world.addPerson('ana@acme.test', { [acme]: 'user' });
    await world.addPerson('eve@acme.test', { [acme]: 'user' });
    mcp = `${world.url}/t/acme/mcp`;
    client = await world.register({ client_name: '<script>alert("name")</script>' });
  });
  afterAll(async () => world.close());

  async function pages(): Promise<{ login: Visited; consent: Visited }> {
    const browser = world.browser();
    const login = await browser.open(world.authorizeUrl(client, mcp));
    return { login, consent: await browser.submit(login, loginFields('ana@acme.test')) };
  }

  test('have a language, a title of the step, labels, autocomplete, and no script but the one their policy names', async () => {
    const { login, consent } = await pages();
    for (const page of [login, consent]) {
      expect(page.text).toContain('<html lang="en">');
      expect(page.text.match(/<h1>/g)).toHaveLength(1);
      const scripts = [...page.text.matchAll(/<script>([^<]*)<\/script>/g)].map(([, text]) => text ?? '');
      expect(page.text.match(/<script/gi) ?? []).toHaveLength(scripts.length);
      const named = scripts.map((text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`);
      const policy = /script-src ([^;]*)/.exec(page.headers.get('content-security-policy') ?? '')?.[1];
      expect(policy).toBe(named[0]);
      expect(page.text).not.toMatch(/<img|onload=|http-equiv|javascript:/i);
    }
    expect(login.text).toMatch(/<title>Sign in – /);
    expect(consent.text).toMatch(/<title>Allow access – /);
    for (const name of ['email', 'password']) {
      expect(login.text).toContain(`<label for="${name}">`);
      expect(login.text).toContain(`id="${name}"`);
    }
    expect(login.text).toContain('autocomplete="username"');
    expect(login.text).toContain('autocomplete="current-password"');
  });

  test('name the client as it calls itself, its host, the tenant and the URL, escaped (O-35)', async () => {
    const { consent } = await pages();
    expect(consent.text).toContain('&lt;script&gt;alert(&quot;name&quot;)&lt;/script&gt;');
    expect(consent.text).toContain('&lt;b&gt;Acme&lt;/b&gt;');
    expect(consent.text).toContain('127.0.0.1:9 (your own computer)');
    expect(consent.text).toContain(mcp);
  });

  test('answer a button that is pressed twice as they did the first time, and nobody else', async () => {
    const browser = world.browser();
    const login = await browser.open(world.authorizeUrl(client, mcp));
    const consent = await browser.submit(login, loginFields('ana@acme.test'));
    const first = await browser.submit(consent, { action: 'allow' });
    expect(first.headers.get('location')).toContain('code=');
    const second = await browser.submit(consent, { action: 'allow' });
    expect(second.headers.get('location')).toBe(first.headers.get('location'));
    const forged = await world.browser().post(consent.url, { csrf: 'guessed', action: 'allow' });
    expect([forged.status, forged.headers.get('location')]).toEqual([400, null]);
  });

  test('give one grant and one code to an Allow that is pressed many times at once', async () => {
    const kept = async (): Promise<Record<string, number>> => {
      const { rows } = await world.owner.query<{ model: string; count: number }>(
        `select model, count(*)::int from oauth_artifacts where model in ('Grant', 'AuthorizationCode') group by 1`,
      );
      const granted = (await world.audited(acme)).filter((line) => line === 'consent.granted ok').length;
      return { ...Object.fromEntries(rows.map(({ model, count }) => [model, count])), granted };
    };
    const browser = world.browser();
    const login = await browser.open(world.authorizeUrl(client, mcp));
    const consent = await browser.submit(login, loginFields('ana@acme.test'));
    const { Grant = 0, AuthorizationCode = 0, granted = 0 } = await kept();
    const presses = Array.from({ length: 4 }, () => browser.submit(consent, { action: 'allow' }));
    const answers = await Promise.all(presses);
    const places = new Set(answers.map(({ headers }) => headers.get('location')));
    expect([...places]).toEqual([expect.stringContaining('code=')]);
    expect(await kept()).toEqual({
      Grant: Grant + 1,
      AuthorizationCode: AuthorizationCode + 1,
      granted: granted + 1,
    });
  });

  test('cannot be framed, and forms go to us and back to the client only (O-36)', async () => {
    const { login, consent } = await pages();
    for (const page of [login, consent]) {
      const policy = page.headers.get('content-security-policy') ?? '';
      expect(policy).toContain(`default-src 'none'`);
      expect(policy).toContain(`form-action 'self' ${new URL(REDIRECT).origin};`);
      expect(policy).toContain(`frame-ancestors 'none'`);
      expect(page.headers.get('x-frame-options')).toBe('DENY');
      expect(page.headers.get('cache-control')).toBe('no-store');
      expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  test('refuse a form without a token, with another step’s, or of another browser', async () => {
    const browser = world.browser();
    const login = await browser.open(world.authorizeUrl(client, mcp));
    expect((await browser.post(login.url, loginFields('ana@acme.test'))).status).toBe(400);
    const consent = await browser.submit(login, loginFields('ana@acme.test'));
    const loginToken = /name="csrf" value="([^"]*)"/.exec(login.text)?.[1] ?? '';
    expect((await browser.post(consent.url, { csrf: loginToken, action: 'allow' })).status).toBe(400);
    const other = world.browser();
    const otherLogin = await other.open(world.authorizeUrl(client, mcp));
    expect((await other.post(otherLogin.url, { ...loginFields('eve@acme.test'), csrf: loginToken })).status).toBe(400);
    expect((await other.submit(consent, { action: 'allow' })).status).toBe(400);
    expect((await browser.submit(consent, { action: 'allow' })).headers.get('location')).toContain('code=');
  });

  test('that are gone back to or sent twice say how to start over', async () => {
    const browser = world.browser();
    const login = await browser.open(world.authorizeUrl(client, mcp));
    await browser.submit(login, loginFields('ana@acme.test'));
    const again = await browser.submit(login, loginFields('ana@acme.test'));
    expect(again.status).toBe(400);
    expect(again.text).toContain('connect again from there');
    expect((await browser.open(`${world.url}/auth/interaction/nothing`)).text).toContain('This page has expired');
  });

  test('answer forms with 303, after which a browser sends nothing of them on (O-28)', async () => {
    // The browser of these tests refuses any other redirect after a form.
    const location = await world.authorize(client, mcp, 'ana@acme.test');
    expect(location.searchParams.get('code')).not.toBeNull();
  });

  test('cookies are for this host, not for scripts, and not sent by other sites’ forms', async () => {
    const response = await fetch(world.authorizeUrl(client, mcp), { redirect: 'manual' });
    const cookies = response.headers.getSetCookie();
    expect(cookies.length).toBeGreaterThan(0);
    for (const cookie of cookies) expect(cookie).toMatch(/httponly/i);
    for (const cookie of cookies) expect(cookie).toMatch(/samesite=lax/i);
    expect(response.status).toBe(303);
  });

  test('refuse a form of more than 16 KiB', async () => {
    const browser = world.browser();
    const login = await browser.open(world.authorizeUrl(client, mcp));
    const large = await browser.submit(login, loginFields('ana@acme.test', 'x'.repeat(20_000)));
    expect(large.status).toBe(413);
  });

  test('stop guessing: after twenty wrong passwords even the right one waits (O-42)', async () => {
    const browser = world.browser();
    const login = await browser.open(world.authorizeUrl(client, mcp));
    for (let count = 0; count < 20; count += 1) {
      expect((await browser.submit(login, loginFields('eve@acme.test', 'wrong'))).status).toBe(401);
    }
    const limited = await browser.submit(login, loginFields('eve@acme.test'));
    expect(limited.status).toBe(429);
    expect(limited.text).toContain('Too many attempts');
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
    const somebodyElse = await browser.submit(login, loginFields('ana@acme.test'));
    expect(somebodyElse.text).toContain('value="allow"');
  });
});
