import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Database } from '#libs/database';
import { createLogger } from '#libs/telemetry';
import { testDatabase, testRedis, type TestDatabase } from '#libs/testing';
import { AccessAudit } from '../access/access-audit.js';
import { ResourceAccess } from '../access/resource-access.js';
import { Accounts } from '../accounts/accounts.js';
import { Federation } from '../federated-sign-in/federation.js';
import { FormGuard } from '../interactions/form-guard.js';
import { AttemptCounter } from '../limits/attempt-counter.js';
import { ReplayedRequest } from '../replayed-request.js';
import { provideSigningKeys } from '../signing-keys/signing-keys.js';
import { freePort } from '../testing/free-port.fixture.js';
import { Grants } from '../grants/grants.js';
import { Consents } from './consents.js';
import { createProvider } from './provider.js';
import { parseClientDocument } from './registration.js';

const CLIENT = 'https://app.example/client.json';
const DOCUMENT = { client_id: CLIENT, client_name: 'App', redirect_uris: ['https://app.example/cb'] };
const FETCHES_MAX = 3;

let own: TestDatabase;
let database: Database;
let attempts: AttemptCounter;
let server: Server;
let origin: string;
const fetched: string[] = [];

/** The internet, which is not ours: every app's site answers with the same document. */
async function fetchDocument(url: string): Promise<Response> {
  fetched.push(url);
  return Response.json(parseClientDocument(url, Buffer.from(JSON.stringify(DOCUMENT))));
}

beforeAll(async () => {
  own = await testDatabase();
  database = await Database.connect({ ...own, role: 'wharf_auth' });
  attempts = new AttemptCounter((await testRedis()).redisUrl);
  const port = await freePort();
  origin = `http://localhost:${port}`;
  const issuer = new URL(`${origin}/auth`);
  const access = new ResourceAccess(database, { publicUrl: origin });
  const { listener } = createProvider(
    {
      issuer,
      database,
      masterKey: own.masterKey,
      signingKeys: await provideSigningKeys(database, own.masterKey),
      access,
      accounts: new Accounts(database),
      consents: new Consents(database, own.masterKey),
      grants: new Grants(database),
      attempts,
      documents: { fetch: fetchDocument },
      registrationsPerHour: FETCHES_MAX,
      federation: new Federation({
        issuer,
        database,
        masterKey: own.masterKey,
        guard: new FormGuard(own.masterKey),
        attempts,
        logger: createLogger('test', 'silent'),
      }).assertions(access),
      renderError: (ctx, error) => {
        ctx.body = error;
      },
    },
    new AccessAudit(database, access),
    createLogger('test', 'silent'),
  );
  server = createServer((request, response) => {
    const replayed = { url: request.url ?? '/', body: Buffer.alloc(0), issuer, address: '203.0.113.9' };
    void listener(new ReplayedRequest(request, replayed), response);
  });
  await new Promise<void>((resolve) => server.listen(port, 'localhost', resolve));
});
afterAll(async () => {
  server.close();
  attempts.stop();
  await database.close();
  await own.drop();
});

async function authorize(clientId: string, redirectUri: string): Promise<{ error: string; location: string | null }> {
  const params = new URLSearchParams({
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'mcp',
    resource: `${origin}/t/nobody/mcp`,
    code_challenge: 'x'.repeat(43),
    code_challenge_method: 'S256',
  });
  const response = await fetch(`${origin}/authorize?${params}`, { redirect: 'manual' });
  return { error: await response.text(), location: response.headers.get('location') };
}

test('a client is known by its document, fetched once, with exactly the redirect URIs in it', async () => {
  const known = await authorize(CLIENT, 'https://app.example/cb');
  expect(known).toEqual({ error: 'invalid_target', location: null });
  const elsewhere = await authorize(CLIENT, 'https://evil.example/cb');
  expect(elsewhere).toEqual({ error: 'invalid_redirect_uri', location: null });
  expect(fetched).toEqual([CLIENT]);
});

test('a document that names another URL makes no client (O-30), and fetches are limited per address (O-33)', async () => {
  for (let count = 0; count < 10; count += 1) {
    const answer = await authorize(`https://app.example/client.json?${count}`, 'https://app.example/cb');
    expect(answer).toEqual({ error: 'invalid_client', location: null });
  }
  expect(fetched).toHaveLength(FETCHES_MAX);
});
