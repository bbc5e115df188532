import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Database, newId } from '#libs/database';
import { createLogger } from '#libs/telemetry';
import { testDatabase, testRedis, type TestDatabase, type TestRedis } from '#libs/testing';
import { Redis } from 'ioredis';
import { compactVerify } from 'jose';
import { Client } from 'pg';
import { DeleteTenant } from './delete-tenant.js';
import { findDueObjects } from '#libs/blobs';
import { tenantsAfter } from '../blobs/moves.repository.js';
import { DeletionClock } from './deletion-clock.js';
import { isAtHome } from './deletions.repository.js';
import { A as a, ACCOUNT as account } from '../../../../test/isolation/row-ids.fixture.js';
import { ROWS } from '../../../../test/isolation/tenant-rows.fixture.js';

/** A tenant with a row in every table there is, so that none is forgotten when it is deleted. */
let store: TestDatabase;
let stored: TestRedis;
let redis: Redis;
let owner: Client;
let database: Database;
let clock: DeletionClock;
let failing: string | undefined;
const evicted: string[] = [];
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const b = newId();
const person = newId();
const OUTLIVES = ['tenant_deletions'];

beforeAll(async () => {
  [store, stored] = await Promise.all([testDatabase(), testRedis()]);
  redis = new Redis(stored.redisUrl);
  owner = new Client({ connectionString: store.databaseUrl });
  await owner.connect();
  database = await Database.connect({ ...store, role: 'wharf_life_cycle', poolSize: 2 });
  const runtime = {
    evict: async (tenantId: string) => {
      if (failing === 'evict') throw new Error('the worker-runtime is away');
      evicted.push(tenantId);
    },
  };
  const installation = 'https://wharf.example';
  const deleting = new DeleteTenant({
    database,
    runtime,
    redis,
    signLog: async () => true,
    key: privateKey,
    installation,
  });
  clock = new DeletionClock(database, deleting, createLogger('background', 'silent'));
  await owner.query(`insert into accounts (id, email, password_hash) values ($1, 'a@example.com', 'x')`, [account]);
  await owner.query(`set session_replication_role = replica`);
  for (const [table, row] of Object.entries(ROWS)) {
    const columns = Object.keys(row);
    const places = columns.map((_, index) => `$${index + 1}`).join(', ');
    await owner.query(`insert into ${table} (${columns.join(', ')}) values (${places})`, Object.values(row));
  }
  await owner.query(`reset session_replication_role`);
  await owner.query(`insert into tenants (id, slug, name) values ($1, 'tenant-b', 'b')`, [b]);
  await owner.query(`insert into members (tenant_id, account_id, role) values ($1, $2, 'owner')`, [b, account]);
  await owner.query(`insert into accounts (id, email, password_hash, home_tenant_id) values ($1, null, null, $2)`, [
    person,
    a,
  ]);
  await redis.set(`session:{${a}}:one`, 'x');
  await redis.set(`session:{${b}}:one`, 'x');
});

afterAll(async () => {
  await owner?.end();
  await database?.close();
  redis?.disconnect();
  await store?.drop();
});

async function rowsOf(tenantId: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of Object.keys(ROWS)) {
    const column = table === 'tenants' ? 'id' : 'tenant_id';
    const { rows } = await owner.query(`select count(*)::int as n from ${table} where ${column} = $1`, [tenantId]);
    if (rows[0].n > 0) counts[table] = rows[0].n;
  }
  return counts;
}

test('a log cannot be deleted from by the role that deletes tenants, until the tenant’s time has come', async () => {
  for (const table of ['audit_records', 'audit_checkpoints']) {
    const deleted = database.asTenant(a, (tx) => tx.query(`delete from ${table} where tenant_id = $1`, [a]));
    await expect(deleted).rejects.toThrow(/append-only|leaves its arrivals/);
  }
});

test('a legal hold keeps everything, however long it is due', async () => {
  const before = await rowsOf(a);
  expect(Object.keys(before).sort()).toEqual(Object.keys(ROWS).sort());
  expect(await clock.sweep()).toBe(0);
  expect(await rowsOf(a)).toEqual(before);
});

test('what a region’s tenant has due is found by the services of its region alone', async () => {
  await owner.query(`update tenants set home_region = 'eu' where id = $1`, [a]);
  await owner.query(`update unused_objects set due_at = now() where tenant_id = $1`, [a]);
  const service = await Database.connect({ ...store, role: 'wharf_background', poolSize: 1 });
  const seen = async (region: string | undefined) => {
    const served = await database.asTenant(a, (tx) => isAtHome(tx, a, region));
    const objects = await service.asService((tx) => findDueObjects(tx, 10, region));
    const moves = await service.asService((tx) => tenantsAfter(tx, { after: null, limit: 10, region }));
    return [served, objects.length > 0, moves.includes(a)];
  };
  expect(await seen('us')).toEqual([false, false, false]);
  expect(await seen(undefined)).toEqual([false, false, false]);
  expect(await seen('eu')).toEqual([true, true, true]);
  await service.close();
  await owner.query(`update tenants set home_region = null where id = $1`, [a]);
});

test('a deletion that is cut off goes on where it was, and leaves nothing but its receipt', async () => {
  await owner.query(`delete from legal_holds`);
  failing = 'evict';
  expect(await clock.sweep()).toBe(0);
  const { rows: endings } = await owner.query(`select id from connection_endings where tenant_id = $1`, [a]);
  expect(endings.length).toBe(2);
  await owner.query(`delete from connection_endings where tenant_id = $1`, [a]); // revoked by their jobs
  expect(await clock.sweep()).toBe(0);
  failing = undefined;
  expect(await clock.sweep()).toBe(0); // an object is still in the object store
  await owner.query(`delete from unused_objects where tenant_id = $1`, [a]);
  expect(await clock.sweep()).toBe(1);
  expect(Object.keys(await rowsOf(a))).toEqual(OUTLIVES);
  expect(await rowsOf(b)).toEqual({ tenants: 1, members: 1 });
  expect([await redis.exists(`session:{${a}}:one`), await redis.exists(`session:{${b}}:one`)]).toEqual([0, 1]);
  expect(evicted).toEqual([a]);
  const { rows: people } = await owner.query(`select id from accounts where id = any($1)`, [[account, person]]);
  expect(people).toEqual([{ id: account }]);
});

test('the receipt says what went, is signed, and the slug stays nobody’s', async () => {
  const { rows } = await owner.query(`select state, receipt from tenant_deletions where tenant_id = $1`, [a]);
  expect(rows[0].state).toBe('deleted');
  const { payload, protectedHeader } = await compactVerify(rows[0].receipt, publicKey);
  expect(protectedHeader.typ).toBe('wharf-deletion-receipt+jws');
  const receipt = JSON.parse(Buffer.from(payload).toString());
  expect(receipt.tenant).toEqual({ id: a, slug: 'canary-a' });
  expect(receipt.rows).toMatchObject({
    tenants: 1,
    audit_log: 1,
    secrets: 1,
    data_keys_destroyed: 1,
    person_keys_destroyed: 1,
  });
  expect(receipt.audit_checkpoint.size).toBeDefined();
  const taken = owner.query(`insert into tenants (id, slug, name) values ($1, 'canary-a', 'c')`, [newId()]);
  await expect(taken).rejects.toThrow('the slug is reserved');
  const { rows: acts } = await owner.query(`select action, tenant_id from operator_actions`);
  expect(acts).toEqual([{ action: 'tenants.deleted', tenant_id: a }]);
});
