import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Secret } from '#libs/config';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';
import { provideOperator, type KeySource } from './operator-key.js';

let store: TestDatabase;
let owner: Client;

beforeAll(async () => {
  store = await testDatabase();
  owner = new Client({ connectionString: store.databaseUrl });
  await owner.connect();
});

afterAll(async () => {
  await owner?.end();
  await store?.drop();
});

const newKey = (): string => `who_${randomBytes(32).toString('base64url')}`;
const provide = (source: KeySource, key: string) =>
  provideOperator(store.databaseUrl, store.masterKey, { source, key: new Secret(key) });

async function isOpen(key: string): Promise<boolean> {
  const hash = createHash('sha256').update(key).digest('hex');
  const { rows } = await owner.query(`select from operators where key_hash = $1 and key_shut_at is null`, [hash]);
  return rows.length === 1;
}

async function noted(): Promise<Array<{ made?: string; shut: string[] }>> {
  const { rows } = await owner.query(
    `select a.details from operator_actions a join operators o on o.id = a.operator_id
     where a.action = 'emergency_keys.provide' and o.name = 'Wharf itself' order by a.at`,
  );
  return rows.map(({ details }) => details);
}

test('another key of a source shuts the one before it for good, and leaves that of the other source', async () => {
  const [first, second, migrated] = [newKey(), newKey(), newKey()];
  expect(await provide('local', first)).toBe('stands');
  expect(await provide('migrate', migrated)).toBe('stands');
  expect(await provide('local', second)).toBe('stands');
  expect([await isOpen(first), await isOpen(second), await isOpen(migrated)]).toEqual([false, true, true]);
  expect(await provide('local', first)).toBe('shut');
  expect([await isOpen(first), await isOpen(second)]).toEqual([false, true]);
});

test('the platform’s log says which key was made and which were shut, and nothing where all stays as it is', async () => {
  const before = await noted();
  const [first, second] = [newKey(), newKey()];
  for (const key of [first, first, second, second]) await provide('migrate', key);
  const [one, other, ...more] = (await noted()).slice(before.length);
  expect(more).toEqual([]);
  expect(one?.shut).toHaveLength(1);
  expect(other).toEqual({ made: expect.any(String), shut: [one?.made] });
});

test('keys that stood beside each other before are shut but for the one that is named', async () => {
  const [old, named] = [newKey(), newKey()];
  await provide('local', named);
  const hash = createHash('sha256').update(old).digest('hex');
  await owner.query(`insert into operators (id, name, key_hash) values (gen_random_uuid(), 'local', $1)`, [hash]);
  await provide('local', named);
  expect([await isOpen(old), await isOpen(named)]).toEqual([false, true]);
});

test('two that are named at once leave one of a source', async () => {
  const keys = [newKey(), newKey(), newKey()];
  await Promise.all(keys.map((key) => provide('local', key)));
  const open = await Promise.all(keys.map(isOpen));
  expect(open.filter(Boolean)).toHaveLength(1);
});
