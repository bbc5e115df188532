import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Database, newId } from '#libs/database';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';
import { AuthenticatorApps } from './authenticator-apps.js';
import { RecoveryCodes } from './recovery-codes.js';

let store: TestDatabase;
let database: Database;
let owner: Client;
const account = newId();

beforeAll(async () => {
  store = await testDatabase();
  database = await Database.connect({ ...store, role: 'wharf_auth' });
  owner = new Client({ connectionString: store.databaseUrl });
  await owner.connect();
  await owner.query(`insert into accounts (id, email, password_hash) values ($1, 'a@example.com', 'x')`, [account]);
});
afterAll(async () => {
  await Promise.all([database?.close(), owner?.end()]);
  await store?.drop();
});

const unnoted = () => Promise.reject(new Error('it could not be noted'));
const rowsOf = async (table: string) => (await owner.query(`select 1 from ${table}`)).rowCount;

test('a change that cannot be noted is not made', async () => {
  const apps = new AuthenticatorApps(database, store.masterKey);
  await apps.begin({ id: account, email: 'a@example.com', emailVerified: true, federated: false });
  await expect(apps.remove(account, unnoted)).rejects.toThrow('it could not be noted');
  await expect(new RecoveryCodes(database, store.masterKey).renew(account, unnoted)).rejects.toThrow();
  expect([await rowsOf('account_totp'), await rowsOf('recovery_codes')]).toEqual([1, 0]);
});
