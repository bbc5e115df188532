import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Secret } from '#libs/config';
import { Database, newId, type Transaction } from '#libs/database';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';

/** Three databases of tenants' own, and a service that may have one of them open at a time. */
const NAMES = ['one', 'three', 'two'];
const tenants = new Map(NAMES.map((name) => [name, newId()]));
let common: TestDatabase;
let own: TestDatabase[];
let database: Database;
const away: string[] = [];

beforeAll(async () => {
  [common, ...own] = await Promise.all([testDatabase(), testDatabase(), testDatabase(), testDatabase()]);
  for (const [at, store] of own.entries()) {
    const name = NAMES[at] ?? '';
    await asOwnerOf(store, `update installation set database = '${name}'`);
    const home = `insert into tenant_homes (tenant_id, database, state) values ('${tenants.get(name)}', '${name}', 'dedicated')`;
    for (const each of [common, store]) await asOwnerOf(each, home);
  }
  const databases = new Map(own.map((store, at) => [NAMES[at] ?? '', new Secret(store.databaseUrl)]));
  database = await Database.connect({
    ...common,
    role: 'wharf_control',
    poolSize: 3,
    dedicated: { databases, poolsMax: 1 },
    onAway: (name) => away.push(name),
  });
});

afterAll(async () => {
  await database?.close();
  await Promise.all([common, ...(own ?? [])].map((store) => store?.drop()));
});

async function asOwnerOf({ databaseUrl }: TestDatabase, sql: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

async function nameOf(tx: Transaction): Promise<string | null> {
  const [row]: Array<{ database: string | null }> = await tx.query(`select database from installation`);
  return row?.database ?? null;
}

test('what looks across tenants looks in every database, however few may be open at once', async () => {
  const looks = await Promise.all([database.everywhere(nameOf), database.everywhere(nameOf)]);
  expect(looks).toEqual([
    [null, ...NAMES],
    [null, ...NAMES],
  ]);
  expect(away).toEqual([]);
  expect(await database.dedicatedState()).toBe('ok');
});

test('a tenant’s work waits for its database’s place, which whoever has it gives back', async () => {
  const held = Promise.withResolvers<void>();
  const holding = Promise.withResolvers<void>();
  const sweep = database.asServiceAt('one', async (tx) => {
    holding.resolve();
    await held.promise;
    return nameOf(tx);
  });
  await holding.promise;
  const work = database.asTenant(tenants.get('two') ?? '', nameOf);
  const first = await Promise.race([work, database.asServiceAt('one', nameOf)]);
  held.resolve();
  expect([first, await sweep, await work]).toEqual(['one', 'one', 'two']);
});
