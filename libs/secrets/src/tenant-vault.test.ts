import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Secret } from '#libs/config';
import { Database, newId } from '#libs/database';
import { testDatabase } from '#libs/testing';
import { TenantVault } from './tenant-vault.js';

let database: Database;
let masterKey: Secret;
let drop: () => Promise<void>;

beforeAll(async () => {
  const test = await testDatabase();
  ({ masterKey, drop } = test);
  database = await Database.connect({ databaseUrl: test.databaseUrl, role: 'wharf_control', masterKey });
});

afterAll(async () => {
  await database.close();
  await drop();
});

async function newTenant(): Promise<string> {
  const id = newId();
  await database.asTenant(id, (tx) =>
    tx.query(`insert into tenants (id, slug, name) values ($1, $2, 'T')`, [id, `t-${id}`]),
  );
  return id;
}

test('gives back what was written, with a version that counts', async () => {
  const tenantId = await newTenant();
  const vault = new TenantVault(masterKey);
  await database.asTenant(tenantId, (tx) => vault.writeSecret(tx, tenantId, 'token', 'first'));
  const version = await database.asTenant(tenantId, (tx) => vault.writeSecret(tx, tenantId, 'token', 'second'));
  const secrets = await database.asTenant(tenantId, (tx) => vault.readSecrets(tx, tenantId));
  expect(version).toBe(2);
  expect(secrets.get('token')).toEqual({ version: 2, value: 'second' });
});

test('stores no plain value', async () => {
  const tenantId = await newTenant();
  const vault = new TenantVault(masterKey);
  await database.asTenant(tenantId, (tx) => vault.writeSecret(tx, tenantId, 'token', 'SECRET-canary'));
  const stored = await database.asTenant(tenantId, (tx) => tx.query(`select ciphertext from secrets`));
  expect(Buffer.from(stored[0].ciphertext).includes('SECRET-canary')).toBe(false);
});

test('another master key opens nothing', async () => {
  const tenantId = await newTenant();
  await database.asTenant(tenantId, (tx) => new TenantVault(masterKey).writeSecret(tx, tenantId, 'token', 'value'));
  const stranger = new TenantVault(new Secret('another-master-key-of-enough-length-0123456'));
  await expect(database.asTenant(tenantId, (tx) => stranger.readSecrets(tx, tenantId))).rejects.toThrow();
});

test('a ciphertext moved under another name does not open', async () => {
  const tenantId = await newTenant();
  const vault = new TenantVault(masterKey);
  await database.asTenant(tenantId, async (tx) => {
    await vault.writeSecret(tx, tenantId, 'low', 'low-value');
    await vault.writeSecret(tx, tenantId, 'high', 'high-value');
    await tx.query(
      `update secrets set ciphertext = (select ciphertext from secrets where name = 'high') where name = 'low'`,
    );
  });
  await expect(database.asTenant(tenantId, (tx) => vault.readSecrets(tx, tenantId))).rejects.toThrow();
});

test('many writers of one secret get one version each', async () => {
  const tenantId = await newTenant();
  const vault = new TenantVault(masterKey);
  const versions = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      database.asTenant(tenantId, (tx) => vault.writeSecret(tx, tenantId, 'shared', `value-${index}`)),
    ),
  );
  expect(versions.toSorted((left, right) => left - right)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
});
