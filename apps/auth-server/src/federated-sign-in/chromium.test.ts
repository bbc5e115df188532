import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openBrowser, photograph } from '#libs/testing';
import { FederationWorld } from '../testing/federation-world.fixture.js';

let f: FederationWorld;
let chromium: Awaited<ReturnType<typeof openBrowser>>;
let app: Server;
let redirectUri: string;

beforeAll(async () => {
  f = await FederationWorld.open();
  await f.begin();
  app = createServer((_request, response) => response.end('the app has your answer'));
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  redirectUri = `http://127.0.0.1:${(app.address() as AddressInfo).port}/callback`; // it listens on TCP
  chromium = await openBrowser();
});
afterAll(async () => {
  await chromium?.close();
  await f?.close();
  app?.close();
});

test('a person without JavaScript gets from the app’s link through their company’s provider back to the app', async () => {
  const client = await f.world.register({ redirect_uris: [redirectUri], client_name: 'Notes' });
  const context = await chromium.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  await page.goto(f.world.authorizeUrl(client, f.resource, { redirect_uri: redirectUri }));
  await page.getByRole('button', { name: 'Continue with Company' }).waitFor();
  await photograph(page, 'login-with-provider');
  await page.getByRole('button', { name: 'Continue with Company' }).press('Enter');

  // Who asks, and where it goes, is said before anything leaves.
  await page.getByRole('heading', { name: 'Allow an app to use acme?' }).waitFor();
  expect(await page.getByRole('definition').allTextContents()).toEqual(
    expect.arrayContaining(['Notes', `Company (localhost:${f.company.port})`, f.resource]),
  );
  await photograph(page, 'federated-sign-in');
  await page.getByRole('button', { name: 'Allow and sign in' }).press('Enter');

  await page.waitForURL(`${redirectUri}?**`);
  const code = new URL(page.url()).searchParams.get('code');
  expect((await f.world.token(client, { ...redemption(code), redirect_uri: redirectUri })).status).toBe(200);
  const cookies = await context.cookies(f.world.url);
  expect(cookies.filter(({ httpOnly, sameSite }) => !httpOnly || sameSite !== 'Lax')).toEqual([]);
  expect(complaints).toEqual([]);
  await context.close();
});

function redemption(code: string | null): Record<string, string> {
  return {
    grant_type: 'authorization_code',
    code: code ?? '',
    code_verifier: f.world.verifier,
    resource: f.resource,
  };
}
