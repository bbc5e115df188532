import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  clientDocumentUrl,
  connectorSettingsSchema,
  originsOf,
  redirectUri,
  resolveClient,
  saveConnection,
  sealClient,
  upstreamNeeds,
  revokeGranted,
  type ConnectionToken,
  type Granted,
  type OwnIdentity,
} from '#libs/connections';
import { Database, newId } from '#libs/database';
import { OpenIdFetch, privateHostsOf } from '#libs/openid';
import { TenantVault } from '#libs/secrets';
import { createLogger } from '#libs/telemetry';
import { LoginUpstream, selfSigned } from '#libs/testing';
import { RowSeals } from '../provider/artifacts/row-seals.js';
import { AuthWorld, locationOf } from '../testing/auth-world.fixture.js';
import { Browser } from '../testing/browser.fixture.js';
import { LoginAttempts } from './login-attempts.js';
import { LoginFlow } from './login-flow.js';
import { OwnConnections } from './own-connections.js';

const RACER = path.resolve('dist/libs/connections/src/refresh-racer.process.fixture.js');
const HOST = 'wharf.test';
const BROWSER = 'what only this browser holds';

let world: AuthWorld;
let upstream: LoginUpstream;
let front: Server;
let issuer: string;
let documentsRead: string[];
let auth: Database;
let control: Database;
let vault: TenantVault;
let attempts: LoginAttempts;
let flow: LoginFlow;
let own: OwnConnections;
const http = new OpenIdFetch();
const acme = { tenantId: '', tenantSlug: 'acme', accountId: '' };

beforeAll(async () => {
  // The auth-server behind a door that speaks TLS, as an upstream sees it.
  const certificate = selfSigned(HOST);
  documentsRead = [];
  front = createServer(certificate, (request, response) => {
    documentsRead.push(request.url ?? '');
    void fetch(`${world.url}${request.url ?? ''}`)
      .then(async (answer) => {
        response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
        response.end(await answer.text());
      })
      .catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  const { port } = front.address() as AddressInfo; // it listens on a port
  const origin = `https://${HOST}:${port}`;
  issuer = `${origin}/auth`;
  [world, upstream] = await Promise.all([AuthWorld.open({ WHARF_PUBLIC_URL: origin }), LoginUpstream.start()]);
  await upstream.tell({ documents: { certificate: certificate.cert } });
  acme.tenantId = await world.addTenant('acme');
  acme.accountId = await world.addPerson('ann@acme.test', { [acme.tenantId]: 'user' });
  await world.owner.query(
    `insert into egress_allowances (tenant_id, id, host, port, reason) values ($1, $2, 'localhost', $3, 'a test')`,
    [acme.tenantId, newId(), upstream.port],
  );
  const { databaseUrl, masterKey } = world.store;
  auth = await Database.connect({ databaseUrl, masterKey, role: 'wharf_auth', poolSize: 2 });
  control = await Database.connect({ databaseUrl, masterKey, role: 'wharf_control', poolSize: 1 });
  vault = new TenantVault(masterKey);
  const seals = await RowSeals.open({ database: auth, masterKey, logger: createLogger('test', 'silent') });
  own = new OwnConnections(auth, vault);
  attempts = new LoginAttempts(auth, seals);
  flow = new LoginFlow({ issuer: new URL(issuer), database: auth, vault, http, attempts });
});
afterAll(async () => {
  front?.closeAllConnections();
  front?.close();
  await Promise.all([upstream?.stop(), http.stop(), auth?.close(), control?.close()]);
  await world?.close();
});

const identityOf = (connector: string): OwnIdentity => ({
  redirectUri: redirectUri(issuer, { ...acme, connector }),
  documentUrl: clientDocumentUrl(issuer, { ...acme, connector }),
});

/** Sets a connector up as the management API does; returns its id. */
async function connect(name: string, given: Readonly<Record<string, unknown>>): Promise<string> {
  const { tenantId } = acme;
  const settings = connectorSettingsSchema.parse({ title: 'Mailbox', ...given });
  const hosts = await control.asTenant(tenantId, (tx) => privateHostsOf(tx, tenantId));
  const client = await resolveClient(settings, identityOf(name), http.for(hosts));
  const id = newId();
  await control.asTenant(tenantId, async (tx) => {
    const { dataKeyId, ciphertext } = await sealClient(tx, vault, { tenantId, id }, client);
    await tx.query(
      `insert into connectors (tenant_id, id, name, title, settings, issuer, origins, client_data_key_id, client_ciphertext)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [tenantId, id, name, settings.title, settings, client.issuer, originsOf(settings), dataKeyId, ciphertext],
    );
  });
  return id;
}

/** Logs somebody in at the upstream by a connector, through its pages and back; returns what it granted. */
async function logIn(connector: string, person: string): Promise<Granted> {
  await upstream.tell({ person });
  const found = await own.find(acme.accountId, { tenantSlug: 'acme', connector });
  if (found === undefined) throw new Error('there is no such connector');
  const who = { accountId: acme.accountId, uid: 'a session', signedInAt: 0 };
  const url = await flow.begin(found, who, BROWSER);
  const back = locationOf(await new Browser(upstream.issuer).open(url));
  expect(`${back.origin}${back.pathname}`).toBe(identityOf(connector).redirectUri);
  const attempt = await attempts.take(back.searchParams.get('state') ?? '');
  if (attempt === undefined) throw new Error('nobody began this');
  return flow.finish(attempt, back.searchParams);
}

const mailboxOf = async ({ accessToken }: Pick<Granted, 'accessToken'>): Promise<unknown> =>
  (await fetch(`${upstream.issuer}/mailbox`, { headers: { authorization: `Bearer ${accessToken}` } })).json();

test('endpoints that a tenant gives are used as they are, with its own client and secret: nothing is looked up', async () => {
  const registered = await fetch(`${upstream.issuer}/reg`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      redirect_uris: [identityOf('explicit').redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'client_secret_basic',
    }),
  });
  const { client_id: id, client_secret: secret } = JSON.parse(await registered.text());
  await control.asTenant(acme.tenantId, (tx) => vault.writeSecret(tx, acme.tenantId, 'mailbox-client', secret));
  const before = await upstream.tell();
  await connect('explicit', {
    endpoints: {
      authorization: `${upstream.issuer}/auth`,
      token: `${upstream.issuer}/token`,
      revocation: `${upstream.issuer}/token/revocation`,
    },
    resource: upstream.url,
    client: { id, secret: 'mailbox-client', method: 'basic' },
    scopes: ['mcp', 'offline_access'],
  });
  const granted = await logIn('explicit', 'ann');
  expect(granted).toMatchObject({ client: { clientId: id }, refreshToken: expect.any(String) });
  expect(await mailboxOf(granted)).toEqual({ mailbox: 'ann' });
  const { secret: proof, hosts } = await auth.asTenant(acme.tenantId, (tx) =>
    upstreamNeeds(tx, vault, acme.tenantId, granted),
  );
  expect(await revokeGranted(granted, proof, http.for(hosts))).toBe(true);
  const after = await upstream.tell();
  expect([after.discoveries - before.discoveries, after.revocations - before.revocations]).toEqual([0, 2]);
  expect(after.clients).toContain(id);
});

test('endpoints without a client are refused, with what to do', async () => {
  const endpoints = { authorization: `${upstream.issuer}/auth`, token: `${upstream.issuer}/token` };
  await expect(connect('nobody', { endpoints, resource: upstream.url })).rejects.toThrow(/register one there/);
});

test('an upstream that reads clients’ documents knows us by ours, without a registration, and two processes make one refresh', async () => {
  const connectorId = await connect('known', { resource: upstream.url });
  const { documentUrl } = identityOf('known');
  const granted = await logIn('known', 'ann');
  expect(granted.client).toMatchObject({ clientId: documentUrl, method: 'none' });
  expect(documentsRead).toContain(new URL(documentUrl).pathname);
  expect((await upstream.tell()).clients).toContain(documentUrl);
  expect(await mailboxOf(granted)).toEqual({ mailbox: 'ann' });

  const key = { tenantId: acme.tenantId, accountId: acme.accountId, connectorId };
  await auth.asTenant(acme.tenantId, (tx) => saveConnection(tx, vault, key, granted));
  const racers = await Promise.all([startRacer(), startRacer()]);
  let seen = granted.accessToken;
  for (let round = 1; round <= 5; round += 1) {
    const before = await upstream.tell({ expire: true });
    const wish = { ...acme, connector: 'known', origin: new URL(upstream.url).origin, seen };
    const found = await Promise.all(racers.map((racer) => ask(racer, wish)));
    expect(found[0]).toEqual({ kind: 'token', token: expect.any(String) });
    expect(found[1]).toEqual(found[0]);
    expect((await upstream.tell()).refreshes - before.refreshes).toBe(1);
    if (found[0]?.kind !== 'token') throw new Error('no token');
    expect(await mailboxOf({ accessToken: found[0].token })).toEqual({ mailbox: 'ann' });
    seen = found[0].token;
  }
  await Promise.all(racers.map(stopRacer));
});

async function startRacer(): Promise<ChildProcess> {
  const { databaseUrl, masterKey } = world.store;
  const started = JSON.stringify({ databaseUrl, masterKey: masterKey.reveal() });
  const racer = fork(RACER, [started], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] });
  await once(racer, 'message');
  return racer;
}

async function ask(racer: ChildProcess, wish: object): Promise<ConnectionToken> {
  const answered = once(racer, 'message', { signal: AbortSignal.timeout(30_000) });
  racer.send(wish);
  const [found]: ConnectionToken[] = await answered;
  if (found === undefined) throw new Error('the process did not answer');
  return found;
}

async function stopRacer(racer: ChildProcess): Promise<void> {
  racer.disconnect();
  if (racer.exitCode === null) await once(racer, 'exit');
}
