import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { generateKeyPairSync } from 'node:crypto';
import { Client } from 'pg';
import { COLUMNS_LEFT_OUT, CONTENT, listTenantTables, newExportKey, openExportKey, SEALED } from './index.js';

let store: TestDatabase;
let client: Client;

beforeAll(async () => {
  store = await testDatabase();
  client = new Client({ connectionString: store.databaseUrl });
  await client.connect();
});
afterAll(async () => {
  await client?.end();
  await store?.drop();
});

const tables = () =>
  listTenantTables(async <Row>(sql: string, values?: readonly unknown[]) => {
    const { rows } = await client.query(sql, values === undefined ? undefined : [...values]);
    return rows as Row[]; // as the statement says
  });

test('every tenant table is exported, or left out for a reason', async () => {
  const names = (await tables()).map(({ name }) => name);
  expect(Object.keys(CONTENT).sort()).toEqual(names.toSorted());
  for (const content of Object.values(CONTENT)) if (content.kind === 'left-out') expect(content.reason).not.toBe('');
});

test('the role that brings a tenant in writes what a tenant takes along, and nothing else of its tables', async () => {
  const { rows } = await client.query<{ name: string }>(
    `select table_name as name from information_schema.role_table_grants
     where grantee = 'wharf_life_cycle' and privilege_type = 'INSERT'`,
  );
  const written = new Set(rows.map(({ name }) => name));
  const brought = Object.keys(CONTENT).filter((name) => CONTENT[name]?.kind === 'rows');
  expect(brought.filter((name) => !written.has(name))).toEqual([]);
  expect([...written].filter((name) => CONTENT[name] !== undefined && !brought.includes(name)).toSorted()).toEqual(
    // The first record of its log here, and what triggers write.
    ['audit_records', 'connection_endings', 'document_usage', 'outbox', 'unused_objects'],
  );
});

test('what is sealed under a data key never goes without it, and columns that stay here exist', async () => {
  for (const { name, columns } of await tables()) {
    const isSealed = columns.some((column) => column.endsWith('data_key_id'));
    if (CONTENT[name]?.kind === 'rows' && isSealed) expect(SEALED).toContain(name);
    for (const column of COLUMNS_LEFT_OUT[name] ?? []) expect(columns).toContain(column);
  }
});

test('a table comes after those that it refers to', async () => {
  const names = (await tables()).map(({ name }) => name);
  for (const [first, second] of [
    ['tenants', 'members'],
    ['members', 'api_keys'],
    ['members', 'clients'],
    ['data_keys', 'secrets'],
    ['blobs', 'releases'],
    ['servers', 'releases'],
    ['releases', 'rollouts'],
  ] as const)
    expect(names.indexOf(first)).toBeLessThan(names.indexOf(second));
});

test('an export key opens with its passphrase or its private key, and with no other', async () => {
  const { key, envelope } = await newExportKey({ kind: 'passphrase', passphrase: 'correct horse battery' });
  expect(await openExportKey(envelope, 'correct horse battery')).toEqual(key);
  await expect(openExportKey(envelope, 'correct horse batterz')).rejects.toThrow();
  const [own, other] = [generateKeyPairSync('x25519'), generateKeyPairSync('x25519')];
  const publicKey = own.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  const sealed = await newExportKey({ kind: 'public_key', publicKey });
  expect(await openExportKey(sealed.envelope, own.privateKey)).toEqual(sealed.key);
  await expect(openExportKey(sealed.envelope, other.privateKey)).rejects.toThrow();
});
