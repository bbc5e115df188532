import { createHash, randomBytes } from 'node:crypto';
import { signInAsPerson, type Person } from '#libs/journey';
import { newId } from '#libs/database';
import { Client as PostgresClient } from 'pg';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { LoginUpstream, Wharf } from '#libs/testing';
import type { Browser } from 'playwright-core';

export { until } from '#libs/testing';

const CALLBACK = 'http://127.0.0.1:9/callback';

/** Signs a tenant and its owner up. */
export async function signUpOwner(wharf: Wharf, slug: string): Promise<Person & { readonly key: string }> {
  const person = { email: `${slug}@wharf.example`, password: 'correct horse battery' };
  const { api_key: key } = await send(wharf, 'POST', '/v1/signup', { body: { tenant_name: slug, slug, ...person } });
  return { ...person, key: key.text };
}

/** Makes the owner of one tenant a plain user of another too. */
export async function joinTenant(wharf: Wharf, slug: string, { email }: Person): Promise<void> {
  await asOwner(wharf, (owner) =>
    owner.query(
      `insert into members (tenant_id, account_id, role)
       select t.id, a.id, 'user' from tenants t, accounts a where t.slug = $1 and a.email = $2`,
      [slug, email],
    ),
  );
}

/** Works on the database as its owner. */
export async function asOwner<Found>(wharf: Wharf, work: (owner: PostgresClient) => Promise<Found>): Promise<Found> {
  const owner = new PostgresClient({ connectionString: wharf.databaseUrl });
  await owner.connect();
  try {
    return await work(owner);
  } finally {
    await owner.end();
  }
}

/** Lets a tenant reach a port of this machine. */
export async function allow(wharf: Wharf, slug: string, port: number): Promise<void> {
  const body = { host: 'localhost', port, reason: newId() };
  await send(wharf, 'POST', `/admin/v1/tenants/${slug}/egress-allowances`, { body, key: wharf.operatorKey });
}

/** Sends a request to the platform; throws where it is refused. */
export async function send(
  wharf: Pick<Wharf, 'url'>,
  method: string,
  path: string,
  { body, key }: { readonly body?: unknown; readonly key?: string } = {},
) {
  const response = await fetch(`${wharf.url}${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} ${response.status}: ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

/** A person's access token for a resource, by the code flow with a client of its own. */
export async function tokenOf(
  wharf: Pick<Wharf, 'url'>,
  person: Person,
  resource: string,
  scope: string,
): Promise<string> {
  const { client_id: client } = await send(wharf, 'POST', '/auth/register', {
    body: {
      client_name: 'a program',
      redirect_uris: [CALLBACK],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
    },
  });
  const verifier = randomBytes(32).toString('base64url');
  const asked = {
    client_id: client,
    response_type: 'code',
    redirect_uri: CALLBACK,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    resource,
    scope,
  };
  const back = await signInAsPerson(new URL(`${wharf.url}/auth/authorize?${new URLSearchParams(asked)}`), person);
  const response = await fetch(`${wharf.url}/auth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: back.searchParams.get('code') ?? '',
      client_id: client,
      redirect_uri: CALLBACK,
      code_verifier: verifier,
      resource,
    }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`no token: ${text}`);
  return JSON.parse(text).access_token;
}

/** An agent of a 2025-era client with a token; `urls` when it can show people URLs. */
export async function legacyAgent(url: string, token: string, urls: 'shows urls' | 'shows none'): Promise<Client> {
  const capabilities = urls === 'shows urls' ? { elicitation: { url: {} } } : {};
  const client = new Client({ name: 'old', version: '1' }, { capabilities });
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
  return client;
}

/** What a request of the 2026 era asks. */
export interface ModernAsk {
  readonly name: string;
  readonly urls?: boolean;
  readonly requestState?: string;
  readonly inputResponses?: object;
  readonly arguments?: object;
}

/** A tool call of the 2026 era, as it is on the wire. */
export async function callModern(url: string, token: string, { urls = true, ...params }: ModernAsk) {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': params.name,
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: {
        arguments: {},
        ...params,
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientInfo': { name: 'new', version: '1' },
          'io.modelcontextprotocol/clientCapabilities': urls ? { elicitation: { url: {} } } : {},
        },
      },
    }),
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

/** A result as text, to look for something in it. */
export const textOf = (result: unknown): string => JSON.stringify(result);

/** Opens a link of the platform as a person does: signs in, reads, presses the button, comes back. */
export async function logInAt(
  { upstream, chromium }: { readonly upstream: LoginUpstream; readonly chromium: Browser },
  link: string,
  person: Person,
  as: string,
): Promise<string> {
  await upstream.tell({ person: as });
  const context = await chromium.newContext({ locale: 'en-GB' });
  const page = await context.newPage();
  await page.goto(link);
  await page.getByLabel('E-mail').fill(person.email);
  await page.getByLabel('Password').fill(person.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('button', { name: /^Log in (again )?at Mailbox$/ }).click();
  await page.getByText('You are logged in.').waitFor();
  const text = await page.textContent('main');
  await context.close();
  return text ?? '';
}

/** The source of a server whose one tool says whose mailbox the caller's login opens. */
export function mailboxTool(origin: string): object {
  const tool = {
    name: 'mailbox',
    description: 'Whose mailbox it is.',
    method: 'GET',
    url: `${origin}/mailbox`,
    annotations: { readOnlyHint: true },
    credentials: ['mail'],
  };
  const connections = [{ id: 'mail', connector: 'mailbox', origins: [origin] }];
  return { kind: 'http', connections, tools: [tool] };
}
