import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openBrowser, photograph, until } from '#libs/testing';
import { DEVICE_CODE } from './device/device-flow.js';
import { AuthWorld, PASSWORD } from './testing/auth-world.fixture.js';

type Chromium = Awaited<ReturnType<typeof openBrowser>>;

let world: AuthWorld;
let chromium: Chromium;
let app: Server;
let redirectUri: string;

beforeAll(async () => {
  world = await AuthWorld.open();
  const acme = await world.addTenant('acme', 'Acme');
  await world.addPerson('ana@acme.test', { [acme]: 'user' });
  app = createServer((_request, response) => response.end('the app has your answer'));
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  redirectUri = `http://127.0.0.1:${(app.address() as AddressInfo).port}/callback`; // it listens on TCP
  chromium = await openBrowser();
});
afterAll(async () => {
  await chromium.close();
  await world.close();
  app.close();
});

test('a person with a keyboard and without JavaScript gets from the app’s link back to the app', async () => {
  const client = await world.register({ redirect_uris: [redirectUri] });
  const context = await chromium.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  await page.goto(world.authorizeUrl(client, `${world.url}/t/acme/mcp`, { redirect_uri: redirectUri }));
  expect(await page.title()).toBe('Sign in – Acme – Wharf');

  // The first field has the focus; a wrong password moves it to the problem, from where the next stop is the field.
  await page.keyboard.type('ana@acme.test');
  await page.keyboard.press('Tab');
  await page.keyboard.type('wrong');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').waitFor();
  expect(await page.title()).toMatch(/^Problem: /);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press('Enter');

  await page.getByRole('heading', { name: 'Allow an app to use Acme?' }).waitFor();
  await page.getByRole('button', { name: 'Allow' }).press('Enter');
  await page.waitForURL(`${redirectUri}?**`);
  expect(new URL(page.url()).searchParams.get('code')).toEqual(expect.any(String));
  expect(complaints.filter((text) => !text.includes('401'))).toEqual([]);
  await context.close();
});

test('a person with a keyboard connects a device by the code that it shows', async () => {
  const client = await world.register({ redirect_uris: [], response_types: [], grant_types: [DEVICE_CODE] });
  const resource = `${world.url}/t/acme/mcp`;
  const { body: started } = await world.form('/auth/device/auth', { client_id: client.client_id, resource });
  const context = await chromium.newContext({ javaScriptEnabled: false, colorScheme: 'dark' });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  await page.goto(String(started['verification_uri']));
  await photograph(page, 'device-code');

  // The field has the focus; a wrong code moves it to the problem, from where the next stop is the field.
  await page.keyboard.type('BBBB-BBBB');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').waitFor();
  expect(await page.title()).toMatch(/^Problem: /);
  await photograph(page, 'device-code-problem');
  await page.getByLabel('Code').fill(String(started['user_code']).replace('-', '').toLowerCase());
  await page.keyboard.press('Enter');

  await page.getByRole('heading', { name: 'Is this your device?' }).waitFor();
  expect(await page.getByText(String(started['user_code'])).count()).toBe(1);
  await photograph(page, 'device-confirm');
  await page.getByRole('button', { name: 'It is mine' }).press('Enter');
  await page.getByLabel('E-mail').fill('ana@acme.test');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByText('another device').waitFor();
  expect(await page.getByText('Read: call the tools that change nothing').count()).toBe(1);
  await page.getByRole('button', { name: 'Allow' }).press('Enter');
  await page.getByRole('heading', { name: 'Your device is connected' }).waitFor();
  await photograph(page, 'device-connected');
  expect(complaints.filter((text) => !text.includes('400'))).toEqual([]);
  const answer = await world.token(client, {
    grant_type: DEVICE_CODE,
    device_code: String(started['device_code']),
    resource,
  });
  expect([answer.status, answer.body['scope']]).toEqual([200, 'mcp:read']);
  await context.close();
});

test('a person who clicks twice gets back to the app, and one whose app is outdated reads what to do', async () => {
  const client = await world.register({ redirect_uris: [redirectUri] });
  const context = await chromium.newContext();
  const page = await context.newPage();
  const mcp = `${world.url}/t/acme/mcp`;
  await page.goto(world.authorizeUrl(client, mcp, { redirect_uri: redirectUri }));
  await page.getByLabel('E-mail').fill('ana@acme.test');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).dblclick();
  await page.getByRole('button', { name: 'Allow' }).dblclick();
  // Each click begins a way there, of which the second may end the first: waiting for one of them would fail with it.
  const back = await until(() => page.url().startsWith(`${redirectUri}?`) && new URL(page.url()), 'the way back');
  expect(back.searchParams.get('code')).toEqual(expect.any(String));
  await page.close();
  const other = await context.newPage();
  const outdated = await world.register({ redirect_uris: ['https://app.example/cb'] });
  await other.goto(world.authorizeUrl(outdated, mcp, { code_challenge: null, code_challenge_method: null }));
  await other.getByRole('heading', { name: 'Update this app, then connect again' }).waitFor();
  await photograph(other, 'error');
  await context.close();
});

test('the style sheet is the one the policy allows', async () => {
  const client = await world.register({ redirect_uris: [redirectUri] });
  const page = await chromium.newPage();
  await page.goto(world.authorizeUrl(client, `${world.url}/t/acme/mcp`, { redirect_uri: redirectUri }));
  const width = await page.evaluate(`getComputedStyle(document.querySelector('main')).maxWidth`);
  expect(width).toBe('480px');
  await page.close();
});
