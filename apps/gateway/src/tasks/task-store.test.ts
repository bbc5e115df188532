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

test('of two tasks that begin at once, one is kept where there is room for one', async () => {
  const tenantId = await dueTasks(199, 0);
  const own = await Database.connect({ ...store, role: 'wharf_gateway', poolSize: 8 });
  const tasks = new TaskStore(own, new TenantVault(store.masterKey));
  const task = { tenantId, principal: 'p', tenantSlug: 's', mounts: [], view: undefined, pollMs: 1_000, ttlMs: 60_000 };
  const tool = { serverSlug: 's', name: 't', access: 'read' } as const;
  const begun = [1, 2, 3, 4, 5, 6, 7, 8].map((one) => tasks.add({ ...task, tool, taskId: `new ${one}` }));
  expect((await Promise.all(begun)).filter((kept) => kept)).toHaveLength(1);
  await own.close();
});

test('in nobody’s transaction a task that has ended is not seen until its time is over, and then goes', async () => {
  const tenantId = await dueTasks(2, 1);
  await owner.query(`update tasks set look_at = null where tenant_id = $1`, [tenantId]);
  const seen = (): Promise<unknown[]> =>
    database.asService((tx) => tx.query(`select id from tasks where tenant_id = $1`, [tenantId]));
  expect(await seen()).toEqual([]);
  await owner.query(
    `update tasks set expires_at = now() - interval '1 second' where tenant_id = $1 and task_id = '1'`,
    [tenantId],
  );
  expect(await seen()).toHaveLength(1);
  const tasks = new TaskStore(database, new TenantVault(store.masterKey));
  expect(await tasks.deleteExpired(100)).toBe(1);
  const left = await owner.query(`select task_id from tasks where tenant_id = $1`, [tenantId]);
  expect(left.rows).toEqual([{ task_id: '2' }]);
});
