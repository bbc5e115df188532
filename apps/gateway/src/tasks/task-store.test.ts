import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { Database, newId } from '#libs/database';
import { TenantVault } from '#libs/secrets';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { TaskStore } from './task-store.js';

let store: TestDatabase;
let database: Database;
let owner: Client;

beforeAll(async () => {
  store = await testDatabase();
  database = await Database.connect({ ...store, role: 'wharf_gateway', poolSize: 1 });
  owner = new Client({ connectionString: store.databaseUrl });
  await owner.connect();
});

afterAll(async () => {
  await Promise.all([database.close(), owner.end()]);
  await store.drop();
});

async function dueTasks(count: number, secondsAgo: number): Promise<string> {
  const tenantId = newId();
  await owner.query(`insert into tenants (id, slug, name) values ($1, $2, 'T')`, [tenantId, `t-${tenantId}`]);
  await owner.query(
    `insert into tasks (tenant_id, id, principal, task_id, name_hash, server, tool, access, tenant_slug, mounts, poll_ms,
       expires_at, look_at)
     select $1, gen_random_uuid(), 'p', n::text, sha256(n::text::bytea), 's', 't', 'read', 's', '[]', 1000,
       now() + interval '1 hour', now() - make_interval(secs => $3) from generate_series(1, $2) n`,
    [tenantId, count, secondsAgo],
  );
  return tenantId;
}

test('a tenant with many tasks that are due keeps no other waiting, and each is taken once', async () => {
  const [many, few] = [await dueTasks(100, 600), await dueTasks(2, 1)];
  const tasks = new TaskStore(database, new TenantVault(store.masterKey));
  const first = await tasks.takeDue(8, []);
  expect(first.filter(({ tenantId }) => tenantId === few)).toHaveLength(2);
  expect(first.filter(({ tenantId }) => tenantId === many)).toHaveLength(4);
  const second = await tasks.takeDue(8, []);
  expect(second.map(({ tenantId }) => tenantId)).toEqual([many, many, many, many]);
  expect(new Set([...first, ...second].map(({ id }) => id)).size).toBe(10);
  expect(await tasks.takeDue(8, [many])).toEqual([]);
});
