import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Database, newId } from '#libs/database';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';
import { deleteOldSteps, listSteps, storeSteps, type StoredStep } from './step-store.js';

let store: TestDatabase;
let owner: Client;
let auth: Database;
const tenants = [newId(), newId()];

beforeAll(async () => {
  store = await testDatabase();
  owner = new Client({ connectionString: store.databaseUrl });
  await owner.connect();
  auth = await Database.connect({ ...store, role: 'wharf_auth', poolSize: 1 });
  for (const id of tenants)
    await owner.query(`insert into tenants (id, slug, name) values ($1, $2, 'T')`, [id, `t-${id.slice(-12)}`]);
});
afterAll(async () => {
  await auth.close();
  await owner.end();
  await store.drop();
});

function stepOf(visitor: string): StoredStep {
  return {
    serverSlug: 'shop',
    resource: 'https://wharf.example/t/acme/shop/mcp',
    visitor,
    place: visitor,
    thread: '',
    step: 'challenge',
    rule: 'ok',
    proven: false,
    program: 'agent/1.0',
    client: undefined,
    firstMs: Date.now(),
    lastMs: Date.now(),
    times: 1,
  };
}

const shown = async (tenantId: string): Promise<string[]> =>
  (await auth.asTenant(tenantId, (tx) => listSteps(tx, tenantId, 'shop'))).map(({ visitor }) => visitor);
const kept = async (): Promise<string[]> =>
  (await owner.query(`select visitor from connect_steps order by visitor`)).rows.map(({ visitor }) => visitor);

test('a step is shown for a day, hidden as soon as it is older, and then deleted at every tenant', async () => {
  for (const id of tenants) await storeSteps(auth, id, [stepOf(`young ${id}`), stepOf(`old ${id}`)]);
  const young = tenants.map((id) => `young ${id}`);
  await owner.query(`update connect_steps set last_at = now() - interval '23 hours 59 minutes'`);
  for (const id of tenants) expect(await shown(id)).toHaveLength(2);
  expect(await deleteOldSteps(auth, 1_000)).toBe(0);
  await owner.query(
    `update connect_steps set last_at = now() - interval '24 hours 1 minute' where visitor like 'old %'`,
  );
  for (const id of tenants) expect(await shown(id)).toEqual([`young ${id}`]);
  expect((await kept()).length).toBe(4);
  expect(await deleteOldSteps(auth, 1_000)).toBe(2);
  expect(await kept()).toEqual(young.toSorted());
});
