import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Database, listenForChanges, newId } from '#libs/database';
import { shredTenant, TenantVault } from '#libs/secrets';
import { createLogger } from '#libs/telemetry';
import { testDatabase, until, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';
import { DataKeyRotator } from './data-key-rotator.js';
import { DATA_SEALED_COLUMNS } from './data-sealed-columns.js';
import { countDataKeyUses, resealBatch } from './reseal-batch.js';

const silent = createLogger('test', 'silent');
const NAMES = Array.from({ length: 23 }, (_, index) => `token-${index}`);
let store: TestDatabase;
let owner: Client;
let control: Database;
let background: Database;
let operator: Database;
let vault: TenantVault;

beforeAll(async () => {
  store = await testDatabase();
  owner = new Client({ connectionString: store.databaseUrl });
  await owner.connect();
  control = await Database.connect({ ...store, role: 'wharf_control', poolSize: 2 });
  background = await Database.connect({ ...store, role: 'wharf_background', poolSize: 2 });
  operator = await Database.connect({ ...store, role: 'wharf_operator', poolSize: 1 });
  vault = new TenantVault(store.masterKey);
});

afterAll(async () => {
  await Promise.all([control?.close(), background?.close(), operator?.close(), owner?.end()]);
  await store?.drop();
});

async function newTenant(): Promise<string> {
  const id = newId();
  await control.asTenant(id, async (tx) => {
    await tx.query(`insert into tenants (id, slug, name) values ($1, $2, 'T')`, [id, `t-${id}`]);
    for (const name of NAMES) await vault.writeSecret(tx, id, name, `${name} of ${id}`);
  });
  return id;
}

const replace = (tenantId: string) => operator.asTenant(tenantId, (tx) => vault.replaceKey(tx, tenantId));
const usesOf = (tenantId: string) => background.asTenant(tenantId, (tx) => countDataKeyUses(tx, tenantId));
const rotator = (keptHours: number) => new DataKeyRotator(background, vault, silent, keptHours);

const byTable = (one: { table: string }, other: { table: string }): number => (one.table < other.table ? -1 : 1);

async function keysOf(tenantId: string): Promise<string[]> {
  const { rows } = await owner.query<{ id: string }>(
    `select id from data_keys where tenant_id = $1 order by created_at desc`,
    [tenantId],
  );
  return rows.map(({ id }) => id);
}

async function expectReadable(tenantId: string): Promise<void> {
  const secrets = await control.asTenant(tenantId, (tx) => vault.readSecrets(tx, tenantId));
  expect([...secrets].map(([name, { value }]) => [name, value]).toSorted()).toEqual(
    NAMES.map((name) => [name, `${name} of ${tenantId}`]).toSorted(),
  );
}

test('every column that names a data key is sealed anew, and keeps its key from being deleted', async () => {
  const { rows } = await owner.query<{ place: string; kept: boolean }>(
    `select c.relname || '.' || a.attname as place, exists (select 1 from pg_constraint f
       where f.conrelid = c.oid and f.contype = 'f' and f.confrelid = 'data_keys'::regclass and a.attnum = any (f.conkey)) as kept
     from pg_attribute a join pg_class c on c.oid = a.attrelid
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attname ~ 'data_key_id$'`,
  );
  const places = DATA_SEALED_COLUMNS.map(({ table, dataKeyId }) => `${table}.${dataKeyId}`);
  expect(rows.map(({ place }) => place).toSorted()).toEqual(places.toSorted());
  expect(rows.filter(({ kept }) => !kept)).toEqual([]);
});

test('values stay readable while they are sealed anew, across a break, and the old key goes; no other tenant is touched', async () => {
  const [ours, theirs] = [await newTenant(), await newTenant()];
  const theirKeys = await keysOf(theirs);
  const [old = ''] = await keysOf(ours);
  expect(await replace(ours)).toBe(true);
  const [fresh = ''] = await keysOf(ours);
  await control.asTenant(ours, (tx) => vault.writeSecret(tx, ours, 'token-0', `token-0 of ${ours}`));
  expect(await usesOf(ours)).toContainEqual({ dataKeyId: fresh, table: 'secrets', rows: 1 });
  await expectReadable(ours);

  const [secrets] = DATA_SEALED_COLUMNS;
  if (secrets === undefined) throw new Error('no column');
  await background.asTenant(ours, async (tx) =>
    resealBatch(tx, await vault.openKeys(tx, ours), secrets, { after: undefined, limit: 5 }),
  );
  expect(await usesOf(ours)).toContainEqual({ dataKeyId: old, table: 'secrets', rows: 17 });
  await expectReadable(ours);

  // The version that `token-0` had before is sealed anew too.
  expect(await rotator(1).look()).toBe(17 + 1);
  expect((await usesOf(ours)).toSorted(byTable)).toEqual([
    { dataKeyId: fresh, table: 'secret_versions', rows: 1 },
    { dataKeyId: fresh, table: 'secrets', rows: NAMES.length },
  ]);
  expect(await keysOf(ours)).toEqual([fresh, old]);
  await expectReadable(ours);
  await rotator(0).look();
  expect(await keysOf(ours)).toEqual([fresh]);
  await control.asTenant(ours, (tx) => vault.restoreSecret(tx, ours, { name: 'token-0', version: 1, by: {} }));
  await expectReadable(ours);
  expect(await keysOf(theirs)).toEqual(theirKeys);
  await expectReadable(theirs);
});

/** As their rooms seal them: column → what a row takes besides, with the purpose of the seal. */
async function sealEverywhere(tenantId: string): Promise<Array<() => Promise<string>>> {
  const [id, connector, account] = [newId(), newId(), newId()];
  const hash = 'a'.repeat(64);
  const places = [
    [
      'approvals',
      'sealed_arguments',
      `approval:${id}`,
      `insert into approvals (tenant_id, id, digest, state, rule,
      requester, server, tool, valid_seconds, self_approval, expires_at, data_key_id, sealed_arguments)
      values ($1, '${id}', 'd', 'pending', 'r', '{}', 's', 't', 60, false, now() + interval '1 hour', $2, $3)`,
    ],
    [
      'connection_endings',
      'ciphertext',
      `connection:${connector}:${account}`,
      `insert into connection_endings
      (tenant_id, id, connector_id, account_id, data_key_id, ciphertext)
      values ($1, '${id}', '${connector}', '${account}', $2, $3)`,
    ],
    [
      'idempotency_keys',
      'answer',
      `idempotency:${hash}`,
      `insert into idempotency_keys (tenant_id, key_hash, request_hash,
      expires_at, data_key_id, answer) values ($1, '${hash}', '${hash}', now() + interval '1 day', $2, $3)`,
    ],
  ] as const;
  const readers: Array<() => Promise<string>> = [];
  for (const [table, column, purpose, insert] of places) {
    const sealed = await control.asTenant(tenantId, (tx) => vault.seal(tx, tenantId, purpose, `plain ${table}`));
    await owner.query(insert, [tenantId, sealed.dataKeyId, sealed.ciphertext]);
    readers.push(async () => {
      const { rows } = await owner.query(`select data_key_id, ${column} as c from ${table} where tenant_id = $1`, [
        tenantId,
      ]);
      const [row] = rows as Array<{ data_key_id: string; c: Buffer }>; // as the statement says
      if (row === undefined) throw new Error(`no row in ${table}`);
      return control.asTenant(tenantId, (tx) =>
        vault.open(tx, tenantId, purpose, { dataKeyId: row.data_key_id, ciphertext: row.c }),
      );
    });
  }
  return readers;
}

test('values beside their rows are sealed anew for the same purposes', async () => {
  const tenantId = await newTenant();
  const readers = await sealEverywhere(tenantId);
  await replace(tenantId);
  await rotator(0).look();
  expect(await keysOf(tenantId)).toHaveLength(1);
  for (const read of readers) expect(await read()).toMatch(/^plain /);
});

test('a value that does not open keeps its key, and nothing else from being sealed anew', async () => {
  const tenantId = await newTenant();
  await owner.query(`update secrets set ciphertext = 'x' where tenant_id = $1 and name = 'token-3'`, [tenantId]);
  await replace(tenantId);
  expect(await rotator(0).look()).toBe(NAMES.length - 1);
  expect(await keysOf(tenantId)).toHaveLength(2);
  await owner.query(`delete from secrets where tenant_id = $1 and name = 'token-3'`, [tenantId]);
  await rotator(0).look();
  expect(await keysOf(tenantId)).toHaveLength(1);
});

test('what a derived key sealed opens after the replacement, and everybody hears of that', async () => {
  const tenantId = await newTenant();
  const heard: string[] = [];
  const changes = await listenForChanges({ ...store, role: 'wharf_control', onChange: (id) => heard.push(id) });
  const derived = () => control.asTenant(tenantId, (tx) => vault.findDerivedKeys(tx, tenantId, 'events'));
  const before = await derived();
  const sealed = before?.seal(Buffer.from('event'), 'here');
  await replace(tenantId);
  await until(() => heard.includes(tenantId));
  const during = await derived();
  expect(during?.open(sealed ?? Buffer.alloc(0), 'here').toString()).toBe('event');
  // Who has not heard yet opens what is sealed in the first minute.
  expect(before?.open(during?.seal(Buffer.from('x'), 'here') ?? Buffer.alloc(0), 'here').toString()).toBe('x');
  await owner.query(`update data_keys set created_at = created_at - interval '2 minutes' where tenant_id = $1`, [
    tenantId,
  ]);
  const after = await derived();
  const anew = after?.seal(Buffer.from('y'), 'here') ?? Buffer.alloc(0);
  expect(() => before?.open(anew, 'here')).toThrow();
  expect(during?.open(anew, 'here').toString()).toBe('y');
  expect(after?.open(sealed ?? Buffer.alloc(0), 'here').toString()).toBe('event');
  await changes.close();
});

test('a tenant whose keys were shredded gets none again', async () => {
  const tenantId = await newTenant();
  await background.asTenant(tenantId, (tx) => shredTenant(tx, tenantId));
  expect(await replace(tenantId)).toBe(false);
  expect(await keysOf(tenantId)).toHaveLength(1);
});
