import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { COMPANY_CLIENT, CompanyProvider, openBrowser, startWharf, until, type Wharf } from '#libs/testing';

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const ANNA = { sub: 'anna-1', email: 'anna@company.example', groups: ['engineers'] };

let wharf: Wharf;
let company: CompanyProvider;
let chromium: Awaited<ReturnType<typeof openBrowser>>;
let app: Server;
let redirectUri: string;
let acme: { url: string; key: string };
let twin: { url: string; key: string };
const verifier = randomBytes(32).toString('base64url');

beforeAll(async () => {
  [wharf, chromium] = await Promise.all([startWharf(), openBrowser()]);
  company = await CompanyProvider.start([`${wharf.url}/auth/federation/acme/callback`]);
  await company.tell({ person: ANNA });
  app = createServer((_request, response) => response.end('the app has your answer'));
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  redirectUri = `http://127.0.0.1:${(app.address() as AddressInfo).port}/callback`; // it listens on TCP
  [acme, twin] = [await signUp('acme'), await signUp('twin')];
});
afterAll(async () => {
  app?.close();
  await chromium?.close();
  await Promise.all([wharf?.stop(), company?.stop()]);
});

async function json(path: string, body: unknown, key?: string) {
  const response = await fetch(`${wharf.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${text}`);
  return JSON.parse(text);
}

async function signUp(slug: string): Promise<{ url: string; key: string }> {
  const person = { email: `${slug}@wharf.example`, password: 'correct horse battery' };
  const { api_key: key } = await json('/v1/signup', { tenant_name: slug, slug, ...person });
  return { url: `${wharf.url}/t/${slug}/mcp`, key: key.text };
}

async function token(fields: Readonly<Record<string, string>>): Promise<string> {
  const response = await fetch(`${wharf.url}/auth/token`, { method: 'POST', body: new URLSearchParams(fields) });
  const body: { access_token: string } = JSON.parse(await response.text());
  if (!response.ok) throw new Error(JSON.stringify(body));
  return body.access_token;
}

/** Whether a tenant URL takes a token. */
async function statusAt(url: string, accessToken: string): Promise<number> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${accessToken}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
    }),
  });
  await response.body?.cancel();
  return response.status;
}

/** Through the pages in Chromium as Anna; returns the last page's URL and text. */
async function signIn(clientId: string): Promise<{ url: URL; text: string }> {
  const context = await chromium.newContext();
  const page = await context.newPage();
  const asked = {
    client_id: clientId,
    response_type: 'code',
    redirect_uri: redirectUri,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    state: 'state',
    resource: acme.url,
  };
  await page.goto(`${wharf.url}/auth/authorize?${new URLSearchParams(asked)}`);
  await page.getByRole('button', { name: 'Continue with Company' }).click();
  await page.getByRole('button', { name: 'Allow and sign in' }).click();
  await page.getByText(/the app has your answer|You could not be signed in/).waitFor();
  const end = { url: new URL(page.url()), text: await page.content() };
  await context.close();
  return end;
}

test('a tenant connects its provider, its people and agents come in by it, and are out when their group is gone', async () => {
  const { port, issuer } = company;
  const opened = { host: 'localhost', port, reason: 'the company’s own network' };
  await json('/admin/v1/tenants/acme/egress-allowances', opened, wharf.operatorKey);
  const connected = await json(
    '/v1/identity-providers',
    {
      name: 'Company',
      issuer,
      client_id: COMPANY_CLIENT.id,
      client_secret: COMPANY_CLIENT.secret,
      email_domains: ['company.example'],
      group_claim: 'groups',
      group_roles: [{ group: 'engineers', role: 'developer' }],
      default_role: null,
      accepts_assertions: true,
    },
    acme.key,
  );
  expect(connected.redirect_uri).toBe(`${wharf.url}/auth/federation/acme/callback`);

  const client = await json('/auth/register', {
    client_name: 'Notes',
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code', 'refresh_token', JWT_BEARER],
    token_endpoint_auth_method: 'client_secret_post',
  });
  const credentials = { client_id: client.client_id, client_secret: client.client_secret };
  const end = await signIn(client.client_id);
  const bySignIn = await token({
    ...credentials,
    grant_type: 'authorization_code',
    code: end.url.searchParams.get('code') ?? '',
    redirect_uri: redirectUri,
    code_verifier: verifier,
    resource: acme.url,
  });
  const now = Math.floor(Date.now() / 1_000);
  const claims = {
    iss: issuer,
    sub: ANNA.sub,
    aud: `${wharf.url}/auth`,
    client_id: client.client_id,
    jti: randomUUID(),
    iat: now,
    exp: now + 120,
    resource: acme.url,
    scope: 'mcp',
    email: ANNA.email,
  };
  const assertion = await company.sign(claims, { typ: 'oauth-id-jag+jwt' });
  const byAssertion = await token({ ...credentials, grant_type: JWT_BEARER, assertion });
  for (const each of [bySignIn, byAssertion]) {
    expect([await statusAt(acme.url, each), await statusAt(twin.url, each)]).toEqual([200, 401]);
  }

  await company.tell({ person: { ...ANNA, groups: [] } });
  const out = await signIn(client.client_id);
  expect(out.text).toContain('None of your groups');
  for (const each of [bySignIn, byAssertion])
    await until(async () => (await statusAt(acme.url, each)) === 401, 'the end of what their agents hold');
  expect(wharf.logs()).not.toMatch(/the-client-secret-of-wharf|"level":"(error|fatal)"/);
});
