import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Secret, TOTP } from 'otpauth';
import type { BrowserContext, CDPSession, Page } from 'playwright-core';
import { openBrowser, photograph } from '#libs/testing';
import { AuthWorld, PASSWORD, type TestClient } from './testing/auth-world.fixture.js';
import { newestLinkTo } from './testing/mailbox.fixture.js';

describe('people at a real browser', () => {
  let world: AuthWorld;
  let acme: string;
  let account: string;
  let chromium: Awaited<ReturnType<typeof openBrowser>>;
  let app: Server;
  let client: TestClient;

  beforeAll(async () => {
    world = await AuthWorld.open({ WHARF_LOGINS_PER_QUARTER_HOUR: '50' });
    acme = await world.addTenant('acme', 'Acme');
    account = `${world.url}/auth/account`;
    app = createServer((_request, response) => response.end('the app has your answer'));
    await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
    const redirect = `http://127.0.0.1:${(app.address() as AddressInfo).port}/callback`; // it listens on TCP
    client = await world.register({ client_name: 'Your Agent', redirect_uris: [redirect] });
    chromium = await openBrowser();
  });
  afterAll(async () => {
    await chromium.close();
    await world.close();
    app.close();
  });

  async function opened(url: string, context?: BrowserContext): Promise<{ page: Page; complaints: string[] }> {
    const page = await (context ?? (await chromium.newContext({ locale: 'en-GB' }))).newPage();
    const complaints: string[] = [];
    // Refused attempts are answered with their status, which the console notes.
    page.on('console', (message) => {
      if (message.type() === 'error' && !/status of 4\d\d/.test(message.text())) complaints.push(message.text());
    });
    // A redirect after a form is 303 and nothing else.
    page.on('response', (response) => {
      const isRedirect = response.status() >= 300 && response.status() < 400;
      if (response.request().method() === 'POST' && isRedirect && response.status() !== 303) {
        complaints.push(`${response.status()} after a form at ${response.url()}`);
      }
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(url);
    return { page, complaints };
  }

  async function signIn(page: Page, email: string): Promise<void> {
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in', exact: true }).press('Enter');
  }

  /** A security key of Chromium's own, with PIN or biometry (CDP WebAuthn). */
  async function withAuthenticator(page: Page): Promise<{ cdp: CDPSession; authenticatorId: string }> {
    const cdp = await page.context().newCDPSession(page);
    await cdp.send('WebAuthn.enable');
    const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    return { cdp, authenticatorId };
  }

  async function heading(page: Page, name: string): Promise<void> {
    await page.getByRole('heading', { level: 1, name }).waitFor();
  }

  async function addPasskey(page: Page, email: string): Promise<void> {
    await world.addPerson(email, { [acme]: 'user' });
    await signIn(page, email);
    await page.getByLabel('Name of the new passkey').fill('Laptop');
    await page.getByRole('button', { name: 'Add a passkey' }).press('Enter');
    await heading(page, 'Your recovery codes');
  }

  test('a passkey is added, and signs in without a password at an app’s request', async () => {
    const { page, complaints } = await opened(account);
    await withAuthenticator(page);
    await addPasskey(page, 'ana@acme.test');
    await page.getByRole('link', { name: 'I have kept them' }).click();
    await page.getByRole('heading', { level: 3, name: 'Laptop' }).waitFor();
    await photograph(page, 'account-with-passkey');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.goto(world.authorizeUrl(client, `${world.url}/t/acme/mcp`));
    await photograph(page, 'login');
    await page.getByRole('button', { name: 'Sign in with a passkey' }).press('Enter');
    await heading(page, 'Allow an app to use Acme?');
    await photograph(page, 'consent');
    await page.getByRole('button', { name: 'Allow' }).press('Enter');
    await page.waitForURL(`${client.redirect_uris?.[0]}?**`);
    expect(new URL(page.url()).searchParams.get('code')).toBeTruthy();
    expect(complaints).toEqual([]);
    const { rows } = await world.owner.query<{ counter: string; used: boolean }>(
      `select counter, last_used_at is not null as used from passkeys`,
    );
    expect(rows).toEqual([{ counter: expect.stringMatching(/^[1-9]/), used: true }]);
    await page.context().close();
  });

  test('a passkey is the second factor after a password; a copy with an old counter is refused', async () => {
    const { page, complaints } = await opened(account);
    await withAuthenticator(page);
    await addPasskey(page, 'bob@acme.test');
    await page.getByRole('link', { name: 'I have kept them' }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await signIn(page, 'bob@acme.test');
    await heading(page, 'Confirm that it is you');
    await world.owner.query(`update passkeys set counter = counter + 1000`);
    await page.getByRole('button', { name: 'Use a passkey' }).press('Enter');
    await page.getByRole('alert').filter({ hasText: 'That was not accepted' }).waitFor();
    await photograph(page, 'second-factor-problem');
    await world.owner.query(`update passkeys set counter = counter - 1000`);
    await page.getByRole('button', { name: 'Use a passkey' }).press('Enter');
    await heading(page, 'Password and sign-in');
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('what a passkey answers without PIN or biometry, or a second time, is refused', async () => {
    const { page } = await opened(account);
    const { cdp, authenticatorId } = await withAuthenticator(page);
    await addPasskey(page, 'cat@acme.test');
    await page.getByRole('link', { name: 'I have kept them' }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    // The answer is caught on its way, sent, and sent again.
    const answers: string[] = [];
    page.on('request', (request) => {
      const body = request.postData();
      if (body?.includes('credential=%7B') === true) answers.push(body);
    });
    await page.getByRole('button', { name: 'Sign in with a passkey' }).press('Enter');
    await heading(page, 'Password and sign-in');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
    await world.owner.query(`update passkeys set counter = 0`);
    const again = await page.request.post(account, {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      data: answers[0] ?? '',
    });
    expect(again.status()).toBe(401);
    await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
    await page.getByRole('button', { name: 'Sign in with a passkey' }).press('Enter');
    await page.getByText('The browser gave no passkey').waitFor();
    await page.context().close();
  });

  test('an authenticator app is set up from the drawn code, by keyboard and labels alone', async () => {
    await world.addPerson('dan@acme.test', { [acme]: 'user' });
    const { page, complaints } = await opened(account);
    await photograph(page, 'account-login');
    await signIn(page, 'dan@acme.test');
    await heading(page, 'Password and sign-in');
    await photograph(page, 'account');
    await page.getByRole('button', { name: 'Set up an authenticator app' }).press('Enter');
    const drawing = page.getByRole('img', { name: 'QR code for your authenticator app' });
    expect((await drawing.boundingBox())?.width).toBeGreaterThan(150);
    await photograph(page, 'authenticator-app');
    const secret = (await page.locator('pre').innerText()).replaceAll(' ', '');
    await page
      .getByLabel('The code that the app shows now')
      .fill(new TOTP({ secret: Secret.fromBase32(secret) }).generate());
    await page.keyboard.press('Enter');
    await heading(page, 'Your recovery codes');
    expect(await page.getByRole('listitem').count()).toBe(10);
    await photograph(page, 'recovery-codes');
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('a forgotten password is replaced by a link', async () => {
    await world.addPerson('eve@acme.test', { [acme]: 'user' });
    const { page, complaints } = await opened(account);
    await page.getByRole('link', { name: 'Forgot your password?' }).click();
    await photograph(page, 'forgot');
    await page.getByLabel('E-mail').fill('eve@acme.test');
    await page.keyboard.press('Enter');
    await heading(page, 'Look into your mailbox');
    await photograph(page, 'forgot-done');
    await page.goto(await newestLinkTo(world, 'eve@acme.test'));
    await photograph(page, 'reset');
    await page.getByLabel('New password').fill('a password of eve’s own');
    await page.keyboard.press('Enter');
    await heading(page, 'You have a new password');
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('every page is there in German, with the same parts', async () => {
    const context = await chromium.newContext({ locale: 'de-DE' });
    await world.addPerson('fay@acme.test', { [acme]: 'user' });
    const { page } = await opened(world.authorizeUrl(client, `${world.url}/t/acme/mcp`), context);
    expect(await page.locator('html').getAttribute('lang')).toBe('de');
    await page.getByLabel('E-Mail').fill('fay@acme.test');
    await page.getByLabel('Passwort').fill('falsch');
    await page.getByRole('button', { name: 'Anmelden', exact: true }).click();
    await page.getByRole('alert').filter({ hasText: 'E-Mail oder Passwort ist falsch' }).waitFor();
    await photograph(page, 'login-problem-german');
    await page.getByLabel('Passwort').fill(PASSWORD);
    await page.getByRole('button', { name: 'Anmelden', exact: true }).click();
    await heading(page, 'Darf eine App Acme benutzen?');
    await photograph(page, 'consent-german');
    await page.goto(`${world.url}/auth/sessions`);
    await photograph(page, 'sessions-german');
    await page.goto(`${world.url}/auth/authorize?client_id=nobody`);
    await heading(page, 'Diese App ist hier nicht bekannt');
    await photograph(page, 'error-german');
    await context.close();
  });
});
