import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  appendAudit,
  LOG_COLUMNS,
  MerkleTree,
  openRecords,
  recordLeaf,
  tileReader,
  toLogRecord,
  type AuditEntry,
  type LogRow,
} from '#libs/audit';
import { Database, newId } from '#libs/database';
import { PersonKeys } from '#libs/secrets';
import { createLogger } from '#libs/telemetry';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';
import { keepRecords, lockTree } from './audit-log.repository.js';
import { AuditSequencer } from './audit-sequencer.js';
import { provideCheckpointKey } from './checkpoint-key.js';

let store: TestDatabase;
let background: Database;
let control: Database;
let owner: Client;
let persons: PersonKeys;

beforeAll(async () => {
  store = await testDatabase();
  background = await Database.connect({ ...store, role: 'wharf_background' });
  control = await Database.connect({ ...store, role: 'wharf_control' });
  owner = new Client({ connectionString: store.databaseUrl });
  await owner.connect();
  persons = new PersonKeys(store.masterKey);
});

afterAll(async () => {
  await Promise.all([background.close(), control.close(), owner.end()]);
  await store.drop();
});

const sequencer = () =>
  new AuditSequencer({
    database: background,
    persons,
    key: generateKeyPairSync('ed25519').privateKey,
    publicUrl: new URL('https://wharf.test'),
    logger: createLogger('test', 'silent'),
  });

async function newTenant(): Promise<string> {
  const id = newId();
  await owner.query(`insert into tenants (id, slug, name) values ($1, $2, 'T')`, [id, `t-${id}`]);
  return id;
}

const entry = (id = newId(), more: Partial<AuditEntry> = {}): AuditEntry =>
  ({
    id,
    event: 'server.created',
    actor: { kind: 'system', id: 'test' },
    target: 'server:x',
    outcome: 'ok',
    ...more,
  }) as AuditEntry; // the log keeps whatever it is given
const arrive = (tenantId: string, entries: readonly AuditEntry[]) =>
  control.asTenant(tenantId, (tx) => appendAudit(tx, tenantId, entries));
async function logOf(tenantId: string): Promise<LogRow[]> {
  return (
    await owner.query(`select ${LOG_COLUMNS} from audit_log where tenant_id = $1 order by leaf_index`, [tenantId])
  ).rows;
}
const count = async (table: string, tenantId: string): Promise<number> =>
  (await owner.query(`select count(*)::int as count from ${table} where tenant_id = $1`, [tenantId])).rows[0].count;

test('every record gets one number, without gaps, and the tree is the one over the records', async () => {
  const tenantId = await newTenant();
  for (const size of [3, 300, 1]) {
    await arrive(
      tenantId,
      Array.from({ length: size }, () => entry()),
    );
    await sequencer().sequence();
  }
  const rows = await logOf(tenantId);
  expect(rows.map((row) => Number(row.leaf_index))).toEqual(Array.from({ length: 304 }, (_, index) => index));
  expect(await count('audit_records', tenantId)).toBe(0);
  const leaves = rows.map((row) => recordLeaf(toLogRecord(tenantId, row)));
  const stored = await background.asTenant(tenantId, (tx) => new MerkleTree(304, tileReader(tx, tenantId)).root());
  const built = await (await new MerkleTree(0, async () => Buffer.alloc(0)).grow(leaves)).tree.root();
  expect(stored).toEqual(built);
});

test('a record that a spool brings again after it was numbered is dropped', async () => {
  const tenantId = await newTenant();
  const again = entry();
  await arrive(tenantId, [again]);
  await sequencer().sequence();
  await arrive(tenantId, [again, entry()]);
  await sequencer().sequence();
  expect(await logOf(tenantId)).toHaveLength(2);
  expect(await count('audit_records', tenantId)).toBe(0);
});

test('many sequencers at once number each record once', async () => {
  const tenantId = await newTenant();
  await arrive(
    tenantId,
    Array.from({ length: 2_500 }, () => entry()),
  );
  for (let round = 0; (await count('audit_records', tenantId)) > 0 && round < 20; round += 1)
    await Promise.all([sequencer().sequence(), sequencer().sequence(), sequencer().sequence()]);
  const numbers = (await logOf(tenantId)).map((row) => Number(row.leaf_index));
  expect(numbers).toEqual(Array.from({ length: 2_500 }, (_, index) => index));
});

test('what is personal is sealed for its person, and unreadable once their key is gone', async () => {
  const tenantId = await newTenant();
  const person = newId();
  const [own, failed, system] = [newId(), newId(), newId()];
  await arrive(tenantId, [
    entry(own, { actor: { kind: 'person', id: person }, sourceAddress: '203.0.113.7' }),
    entry(failed, {
      actor: { kind: 'anonymous' },
      details: { account: person, email: 'ada@example.com', client: 'c' },
    }),
    entry(system, { sourceAddress: '203.0.113.8' }),
  ]);
  await sequencer().sequence();
  const { rows } = await owner.query(`select l::text as text from audit_log l where tenant_id = $1`, [tenantId]);
  const text = rows.map((row: { text: string }) => row.text).join('\n');
  expect(text).not.toMatch(/203\.0\.113\.7|ada@example/);
  expect(text).toContain('203.0.113.8');
  const sealed = (await logOf(tenantId)).filter((row) => row.personal !== null);
  const open = () =>
    control.asTenant(tenantId, (tx) =>
      persons.open(
        tx,
        tenantId,
        sealed.map((row) => ({ personId: person, sealed: row.personal ?? Buffer.alloc(0), context: row.id })),
      ),
    );
  expect(await open()).toEqual([{ source_address: '203.0.113.7' }, { details: { email: 'ada@example.com' } }]);
  await control.asTenant(tenantId, (tx) => tx.query(`delete from person_keys where person_id = $1`, [person]));
  expect(await open()).toEqual([undefined, undefined]);
});

test('the URI of a resource that a person read is sealed, the name of a tool is not, and both stay what was hashed', async () => {
  const tenantId = await newTenant();
  const actor = { kind: 'person', id: newId() } as const;
  const read = { method: 'resources/read', era: 'modern', name: 'customers://jane@example.com' } as const;
  await arrive(tenantId, [
    entry(newId(), { event: 'call.completed', actor, details: read }),
    entry(newId(), { event: 'call.completed', actor, details: { ...read, method: 'tools/call', name: 'get' } }),
    entry(newId(), { event: 'call.completed', details: { ...read, name: 'customers://of-a-key' } }),
  ]);
  await sequencer().sequence();
  const rows = await logOf(tenantId);
  expect(rows.map(({ details }) => details['name'])).toEqual([undefined, 'get', 'customers://of-a-key']);
  const { rows: tiles } = await owner.query(`select hashes from audit_tiles where tenant_id = $1`, [tenantId]);
  const leaves = rows.map((row) => recordLeaf(toLogRecord(tenantId, row)));
  expect(tiles[0].hashes).toEqual(Buffer.concat(leaves));
  const shown = await control.asTenant(tenantId, (tx) => openRecords(tx, tenantId, persons, rows));
  expect(shown[0]?.details['name']).toBe('customers://jane@example.com');
});

test('a tree is signed when it begins, after a thousand records, and after a minute', async () => {
  const tenantId = await newTenant();
  const sizes = async () =>
    (
      await owner.query(`select size::int from audit_checkpoints where tenant_id = $1 order by size`, [tenantId])
    ).rows.map(({ size }) => size);
  const add = async (records: number) => {
    await arrive(
      tenantId,
      Array.from({ length: records }, () => entry()),
    );
    await sequencer().sequence();
  };
  await add(1);
  await add(10);
  expect(await sizes()).toEqual([1]);
  await add(990);
  expect(await sizes()).toEqual([1, 1_001]);
  await add(5);
  await owner.query(`update audit_trees set checkpoint_at = now() - interval '61 seconds' where tenant_id = $1`, [
    tenantId,
  ]);
  await sequencer().sequence();
  expect(await sizes()).toEqual([1, 1_001, 1_006]);
  await owner.query(`update audit_trees set checkpoint_at = now() - interval '61 seconds' where tenant_id = $1`, [
    tenantId,
  ]);
  await sequencer().sequence();
  expect(await sizes()).toEqual([1, 1_001, 1_006]);
});

test('no service can change or delete what was recorded', async () => {
  const tenantId = await newTenant();
  await arrive(tenantId, [entry()]);
  const attempts = (sql: string) => background.asTenant(tenantId, (tx) => tx.query(sql));
  await expect(attempts(`delete from audit_records`)).rejects.toThrow(/leaves its arrivals only for the log/);
  await sequencer().sequence();
  for (const sql of [`update audit_log set outcome = 'x'`, `delete from audit_checkpoints`])
    await expect(attempts(sql)).rejects.toThrow(/permission denied/);
  const listed = await owner.query<{ name: string }>(
    `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'audit_log'::regclass`,
  );
  const partitions = listed.rows.map(({ name }) => name);
  const { rows } = await owner.query(`select tableoid::regclass::text as name from audit_log where tenant_id = $1`, [
    tenantId,
  ]);
  const filled: string = rows[0].name;
  for (const sql of [
    `update audit_log set outcome = 'x'`,
    `delete from audit_log`,
    `update audit_checkpoints set size = 9`,
    ...partitions.flatMap((name) => [`update ${name} set outcome = 'x'`, `truncate ${name}`]),
    `delete from ${filled}`,
  ])
    await expect(owner.query(sql)).rejects.toThrow(/append-only/);
});

test('the key is made once, by whoever comes first, and kept', async () => {
  const keys = await Promise.all([1, 2, 3].map(() => provideCheckpointKey(background, store.masterKey)));
  const exported = keys.map((key) => key.export({ type: 'pkcs8', format: 'pem' }));
  expect(new Set(exported).size).toBe(1);
  const { rows } = await owner.query(`select sealed from audit_keys`);
  expect(rows).toHaveLength(1);
});

test('records are looked up by their key, also in a month that nobody has analysed', async () => {
  const tenantId = await newTenant();
  const ids = Array.from({ length: 600 }, (_, at) => `00000000-0000-7000-8000-${String(at).padStart(12, '0')}`);
  await arrive(
    tenantId,
    ids.map((id) => entry(id)),
  );
  const fetched = await background.asTenant(tenantId, async (tx) => {
    await lockTree(tx, tenantId);
    for (let first = 0; first < ids.length; first += 100)
      await keepRecords(tx, tenantId, { ids: ids.slice(first, first + 100), firstLeaf: first, sealed: {} });
    return tx.query(
      `select idx_tup_fetch::int as rows from pg_stat_xact_user_tables where relname = 'audit_log_before'`,
    );
  });
  // Once for each record; through another index each batch would read all that came before it, 150,000 in all.
  expect(fetched).toEqual([{ rows: 600 }]);
});
