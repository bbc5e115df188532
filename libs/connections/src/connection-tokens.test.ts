import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { Database, newId } from '#libs/database';
import { TenantVault } from '#libs/secrets';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { findConnection, saveConnection } from './connection.js';
import { ConnectionTokens } from './connection-tokens.js';
import { findConnector, sealClient, type UpstreamClient } from './connector.js';

const TOLD = 'https://api.upstream.test';
const LATER = 'https://elsewhere.test';
const client: UpstreamClient = {
  issuer: 'https://upstream.test',
  authorizationEndpoint: 'https://upstream.test/authorize',
  tokenEndpoint: 'https://upstream.test/token',
  issuerInAnswers: false,
  scopes: [],
  clientId: 'c',
  method: 'none',
};

let store: TestDatabase;
let auth: Database;
let control: Database;
let gateway: Database;
let owner: Client;
let tokens: ConnectionTokens;

beforeAll(async () => {
  store = await testDatabase();
  auth = await Database.connect({ ...store, role: 'wharf_auth', poolSize: 1 });
  control = await Database.connect({ ...store, role: 'wharf_control', poolSize: 1 });
  gateway = await Database.connect({ ...store, role: 'wharf_gateway', poolSize: 1 });
  owner = new Client({ connectionString: store.databaseUrl });
  await owner.connect();
  tokens = new ConnectionTokens({ database: gateway, masterKey: store.masterKey, onTakenBack: async () => undefined });
});

afterAll(async () => {
  await tokens.stop();
  await Promise.all([auth.close(), control.close(), gateway.close(), owner.end()]);
  await store.drop();
});

/** A tenant whose connector `code` sends tokens to one place, and one person who is logged in there. */
async function loggedIn(): Promise<{ tenantId: string; accountId: string }> {
  const [tenantId, accountId, connectorId] = [newId(), newId(), newId()];
  await owner.query(`insert into tenants (id, slug, name) values ($1, $2, 'T')`, [tenantId, `t-${tenantId}`]);
  await owner.query(`insert into accounts (id, email, password_hash) values ($1, $2, 'h')`, [accountId, accountId]);
  await owner.query(`insert into members (tenant_id, account_id, role) values ($1, $2, 'user')`, [tenantId, accountId]);
  const vault = new TenantVault(store.masterKey);
  await control.asTenant(tenantId, async (tx) => {
    const sealed = await sealClient(tx, vault, { tenantId, id: connectorId }, client);
    await tx.query(
      `insert into connectors (tenant_id, id, name, title, settings, issuer, origins, client_data_key_id, client_ciphertext)
       values ($1, $2, 'code', 'Code', '{}', $3, $4, $5, $6)`,
      [tenantId, connectorId, client.issuer, [TOLD], sealed.dataKeyId, sealed.ciphertext],
    );
  });
  const granted = { client, origins: [TOLD], accessToken: `token of ${accountId}` };
  await auth.asTenant(tenantId, (tx) => saveConnection(tx, vault, { tenantId, connectorId, accountId }, granted));
  return { tenantId, accountId };
}

test('a token goes where its person was told, and not where the connector sends tokens later', async () => {
  const person = await loggedIn();
  const wish = { ...person, connector: 'code' };
  const token = { kind: 'token', token: `token of ${person.accountId}` };
  expect(await tokens.find({ ...wish, origin: TOLD })).toEqual(token);
  expect(await tokens.find({ ...wish, origin: LATER })).toMatchObject({ kind: 'failed' });
  await owner.query(`update connectors set origins = $2 where tenant_id = $1`, [person.tenantId, [TOLD, LATER]]);
  tokens.forget(person.tenantId);
  expect(await tokens.find({ ...wish, origin: LATER })).toEqual({ kind: 'login', title: 'Code' });
  expect(await tokens.find({ ...wish, origin: TOLD })).toEqual(token);
});

test('scopes that an upstream finds lacking are asked for once, beside those that the connector names', async () => {
  const person = await loggedIn();
  const wish = { ...person, connector: 'code', origin: TOLD };
  const more = ['read', 'write'];
  expect(await tokens.find({ ...wish, lacking: 'write read bad"scope' })).toEqual({
    kind: 'login',
    title: 'Code',
    more: ['write', 'read'],
  });
  expect(await tokens.find(wish)).toMatchObject({ kind: 'token' });
  const vault = new TenantVault(store.masterKey);
  const held = await auth.asTenant(person.tenantId, async (tx) => {
    const connector = await findConnector(tx, person.tenantId, 'code');
    const key = { ...person, connectorId: connector?.id ?? '' };
    const granted = { client, origins: [TOLD], asked: more, accessToken: 'new' };
    await saveConnection(tx, vault, key, granted);
    return findConnection(tx, key);
  });
  expect(held?.wantedScopes).toEqual(more);
  tokens.forget(person.tenantId);
  expect(await tokens.find({ ...wish, lacking: 'write' })).toMatchObject({
    kind: 'failed',
    message: expect.stringContaining('it wants write'),
  });
  expect(await tokens.find({ ...wish, lacking: 'admin' })).toMatchObject({ kind: 'login', more: ['admin'] });
  const other = await loggedIn();
  expect(await tokens.find({ ...other, connector: 'code', origin: TOLD })).toMatchObject({ kind: 'token' });
});

test('nobody gets a token of another person or tenant', async () => {
  const [one, other] = [await loggedIn(), await loggedIn()];
  const wish = { connector: 'code', origin: TOLD };
  expect(await tokens.find({ ...wish, tenantId: one.tenantId, accountId: other.accountId })).toMatchObject({
    kind: 'login',
  });
  expect(await tokens.find({ ...wish, tenantId: newId(), accountId: one.accountId })).toMatchObject({ kind: 'failed' });
});
