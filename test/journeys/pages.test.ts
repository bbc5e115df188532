import { readdir, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startUpstream, type Upstream } from '#libs/journey';
import { openBrowser, startWharf, until, type Wharf } from '#libs/testing';
import type { Browser, Page } from 'playwright-core';
import { openTestShop, type TestShop } from './shop.js';

/** A person at a real browser: keyboard and labels only, as a screen reader's user works. */
let wharf: Wharf;
let upstream: Upstream;
let shop: TestShop;
let browser: Browser;
let client: { server: Server; redirectUri: string; clientId: string };

beforeAll(async () => {
  [wharf, upstream, browser] = await Promise.all([startWharf(), startUpstream(), openBrowser()]);
  shop = await openTestShop(wharf, upstream, 'pages');
  client = await startClient();
}, 400_000);
afterAll(async () => {
  client.server.close();
  await browser?.close();
  await Promise.all([wharf?.stop(), upstream?.stop()]);
});

async function startClient(): Promise<typeof client> {
  const server = createServer((_, response) =>
    response.setHeader('content-type', 'text/html').end('<title>Back at the app</title>'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const redirectUri = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/callback`;
  const registered = await fetch(`${wharf.url}/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: '<b>Acme</b> Agent',
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
    }),
  });
  const { client_id: clientId } = (await registered.json()) as { client_id: string }; // our own API
  return { server, redirectUri, clientId };
}

async function openAuthorization(): Promise<Page> {
  const context = await browser.newContext();
  const page = await context.newPage();
  const url = new URL(`${wharf.url}/auth/authorize`);
  const parameters = {
    client_id: client.clientId,
    redirect_uri: client.redirectUri,
    response_type: 'code',
    resource: shop.serverUrl,
    scope: 'mcp',
    state: 'state-of-the-app',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
  };
  url.search = new URLSearchParams(parameters).toString();
  await page.goto(url.toString());
  return page;
}

async function signIn(page: Page, password: string): Promise<void> {
  await page.getByLabel(/e-?mail/i).fill(shop.owner.email);
  await page.getByLabel(/password/i).fill(password);
  await page.keyboard.press('Enter');
}

/** The mail to somebody, as soon as it is written. */
function mailTo(email: string): Promise<string> {
  const folder = path.join(wharf.dataDir, 'mail');
  return until(async () => {
    const names = await readdir(folder).catch(() => []);
    const texts = await Promise.all(names.map((name) => readFile(path.join(folder, name), 'utf8')));
    return texts.find((text) => text.includes(`To: ${email}\n`));
  }, `a mail to ${email}`);
}

describe('signing in at a real browser', () => {
  test('leads from login over consent back to the app, by labels and keyboard alone', async () => {
    const page = await openAuthorization();
    const complaints: string[] = [];
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    expect(await page.locator('html').getAttribute('lang')).toBe('en');
    await signIn(page, shop.owner.password);
    await page.getByRole('button', { name: /allow|agree|continue/i }).waitFor();
    const consent = await page.locator('main').innerText();
    expect(consent).toContain('<b>Acme</b> Agent');
    expect(consent).toContain('127.0.0.1');
    expect(consent).toContain(shop.serverUrl);
    await page.getByRole('button', { name: /allow|agree|continue/i }).press('Enter');
    await page.waitForURL(`${client.redirectUri}**`);
    const back = new URL(page.url());
    expect(back.searchParams.get('state')).toBe('state-of-the-app');
    expect(back.searchParams.get('iss')).toBe(`${wharf.url}/auth`);
    expect(back.searchParams.get('code')).toBeTruthy();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('says next to the form that the password was wrong, and keeps the e-mail', async () => {
    const page = await openAuthorization();
    await signIn(page, 'not the password');
    const alert = page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.innerText()).toMatch(/e-?mail|password/i);
    expect(await page.getByLabel(/e-?mail/i).inputValue()).toBe(shop.owner.email);
    await page.context().close();
  });

  test('sends the app access_denied when the person says no', async () => {
    const page = await openAuthorization();
    await signIn(page, shop.owner.password);
    await page.getByRole('button', { name: /deny|refuse|cancel|don.t/i }).click();
    await page.waitForURL(`${client.redirectUri}**`);
    expect(new URL(page.url()).searchParams.get('error')).toBe('access_denied');
    await page.context().close();
  });
});

describe('a new owner', () => {
  test('finds the mail that was written into the data folder, and confirms the address by its link', async () => {
    const mail = await mailTo(shop.owner.email);
    const link = /https?:\S+/.exec(mail)?.[0] ?? '';
    expect(link).toContain(`${wharf.url}/auth/account/verify?token=`);
    expect(wharf.logs()).not.toContain(new URL(link).searchParams.get('token'));
    const page = await browser.newPage();
    await page.goto(link);
    await page.getByRole('button', { name: 'Confirm this address' }).press('Enter');
    await page.getByRole('heading', { name: 'Your address is confirmed' }).waitFor();
    await page.goto(`${wharf.url}/auth/account`);
    await signIn(page, shop.owner.password);
    await page.getByText('Confirmed.').waitFor();
    await page.close();
  });
});

test.each(['/', '/v1/docs', '/v1/docs/errors', '/auth/sessions', '/auth/account', '/auth/account/forgot'])(
  'the page %s has a title, one main heading and no script errors',
  async (path) => {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    await page.goto(`${wharf.url}${path}`);
    expect(await page.title()).toMatch(/Wharf/);
    expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
    expect(complaints).toEqual([]);
    await page.close();
  },
);
