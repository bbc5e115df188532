import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { checkpointOrigin, findArchive, publicKeyBytes, verifierKey } from '#libs/audit';
import { BlobStore, findDueObjects, openBlobStore } from '#libs/blobs';
import { objectStoreShape, parseConfig, PLATFORM_KEYS } from '#libs/config';
import { Database } from '#libs/database';
import { createLogger } from '#libs/telemetry';
import { startObjectStore, testDatabase, type TestDatabase, type TestObjectStore } from '#libs/testing';
import { Client } from 'pg';
import { z } from 'zod';
import { ArchiveRetention } from './archive-retention.js';
import { archiveRecords } from './archive.repository.js';
import { AuditArchiver } from './audit-archiver.js';
import { tenantOfAge } from './old-records.fixture.js';

const { privateKey } = generateKeyPairSync('ed25519');
const publicUrl = new URL('https://wharf.test');
const logger = createLogger('test', 'silent');

let store: TestDatabase;
let background: Database;
let control: Database;
let owner: Client;
let folder: string;
let blobs: BlobStore;
let objectStore: TestObjectStore;

beforeAll(async () => {
  store = await testDatabase();
  background = await Database.connect({ ...store, role: 'wharf_background' });
  control = await Database.connect({ ...store, role: 'wharf_control' });
  owner = new Client({ connectionString: store.databaseUrl });
  await owner.connect();
  blobs = new BlobStore(background);
  objectStore = await startObjectStore();
  folder = mkdtempSync(path.join(tmpdir(), 'wharf-archive-'));
});

afterAll(async () => {
  await Promise.all([background.close(), control.close(), owner.end()]);
  await Promise.all([store.drop(), objectStore.stop()]);
  rmSync(folder, { recursive: true });
});

/** A tenant with records of these ages in days, each batch under a checkpoint of its own. */
const tenantWith = (...batches: number[][]): Promise<string> =>
  tenantOfAge({ control, background, owner, masterKey: store.masterKey, privateKey, publicUrl }, batches);

const archivesOf = async (tenantId: string) =>
  (
    await owner.query(
      `select first_leaf::int, end_leaf::int from audit_archives where tenant_id = $1 order by first_leaf`,
      [tenantId],
    )
  ).rows;
const archiveOf = (tenantId: string, firstLeaf = 0, from = blobs): Promise<Buffer> =>
  background
    .asTenant(tenantId, (tx) => findArchive(tx, tenantId, firstLeaf))
    .then((found) => (found === undefined ? Buffer.alloc(0) : from.read(tenantId, found)));
/** As if an archive had been made so many days ago. */
async function letDaysPass(tenantId: string, days: number): Promise<void> {
  await owner.query(`set session_replication_role = replica`);
  await owner.query(
    `update audit_archives set created_at = created_at - make_interval(days => $2),
       kept_until = kept_until - make_interval(days => $2) where tenant_id = $1`,
    [tenantId, days],
  );
  await owner.query(`set session_replication_role = origin`);
}
const leavesOf = async (tenantId: string): Promise<number[]> =>
  (await owner.query(`select leaf_index::int from audit_log where tenant_id = $1 order by 1`, [tenantId])).rows.map(
    ({ leaf_index: leaf }) => leaf,
  );

test('records that are older than the plan keeps go to an archive, up to a checkpoint, and the others stay', async () => {
  const tenantId = await tenantWith([800, 790], [400, 380], [200, 1]);
  await new AuditArchiver(background, blobs, logger).archive();
  expect(await archivesOf(tenantId)).toMatchObject([{ first_leaf: 0, end_leaf: 4 }]);
  expect(await leavesOf(tenantId)).toEqual([4, 5]);
});

test('a young record among old ones keeps what comes after it', async () => {
  const tenantId = await tenantWith([800, 790], [3], [700]);
  await new AuditArchiver(background, blobs, logger).archive();
  expect(await leavesOf(tenantId)).toEqual([2, 3]);
});

test('each archive is checked alone, and what follows goes on from it', async () => {
  const tenantId = await tenantWith([800, 790, 780], [400]);
  await new AuditArchiver(background, blobs, logger).archive();
  await owner.query(`update audit_trees set archive_due = now() where tenant_id = $1`, [tenantId]);
  const archive = await archiveOf(tenantId);
  const { rows } = await owner.query(`select size::int, note from audit_checkpoints where tenant_id = $1`, [tenantId]);
  const write = (name: string, content: string | Buffer) => writeFileSync(path.join(folder, name), content);
  write('key', verifierKey(checkpointOrigin(publicUrl, tenantId), publicKeyBytes(privateKey)));
  for (const { size, note } of rows) write(`checkpoint-${size}`, note);
  write('archive.ndjson.gz', archive);
  const verify = (file: string, checkpoint: string): string => {
    const command = [path.resolve('bin/wharf-verify.mjs'), 'key', file, checkpoint];
    const run = spawnSync(process.execPath, command, { cwd: folder, encoding: 'utf8' });
    return `${run.stdout}${run.stderr}`.trim();
  };
  expect(verify('archive.ndjson.gz', 'checkpoint-4')).toBe('4 records agree with 1 checkpoints');
  const lines = gunzipSync(archive).toString().split('\n');
  write('changed.ndjson', lines.join('\n').replace('secret:x', 'secret:y'));
  expect(verify('changed.ndjson', 'checkpoint-4')).toMatch(/^DIFFERENT position 0:/);
});

test('a record that was changed before it was archived keeps the hash that the tree holds', async () => {
  const tenantId = await tenantWith([800, 790]);
  const { rows } = await owner.query(`select hashes from audit_tiles where tenant_id = $1 and level = 0`, [tenantId]);
  await owner.query(`set session_replication_role = replica`);
  await owner.query(`update audit_log set target = 'server:other' where tenant_id = $1 and leaf_index = 1`, [tenantId]);
  await owner.query(`set session_replication_role = origin`);
  await new AuditArchiver(background, blobs, logger).archive();
  const archive = await archiveOf(tenantId);
  const line = JSON.parse(gunzipSync(archive).toString().split('\n')[2] ?? '');
  expect(line.record.target).toBe('server:other');
  expect(line.leaf_hash).toBe(rows[0].hashes.subarray(32, 64).toString('base64'));
});

test('nothing leaves the log that is in no archive, whoever asks', async () => {
  const tenantId = await tenantWith([1]);
  await expect(
    background.asTenant(tenantId, (tx) => tx.query(`delete from audit_log where tenant_id = $1`, [tenantId])),
  ).rejects.toThrow(/append-only, until they are in an archive/);
  await expect(owner.query(`delete from audit_archives`)).rejects.toThrow(/append-only/);
  expect(await leavesOf(tenantId)).toEqual([0]);
});

test('an archive is in rows of a MiB at most, and one from before there were such rows is read as it is', async () => {
  const tenantId = await tenantWith([800]);
  const content = randomBytes(2_500_000);
  const placed = await blobs.place(tenantId, content);
  await background.asTenant(tenantId, (tx) => archiveRecords(tx, tenantId, { first: 0, end: 1 }, placed));
  const { rows } = await owner.query(
    `select number, octet_length(content) as bytes from audit_archive_chunks where tenant_id = $1 order by number`,
    [tenantId],
  );
  expect(rows.map(({ bytes }) => bytes)).toEqual([1_048_576, 1_048_576, 402_848]);
  expect((await archiveOf(tenantId)).equals(content)).toBe(true);
  const old = Buffer.from('as it was stored before');
  await owner.query(
    `insert into audit_archives (tenant_id, first_leaf, end_leaf, digest, bytes, content) values ($1, 1, 2, $2, $3, $4)`,
    [tenantId, placed.digest, old.length, old],
  );
  expect(await archiveOf(tenantId, 1)).toEqual(old);
});

test('with an object store an archive is there, one of a crashed attempt is not left over, and nothing is archived while it refuses', async () => {
  const config = parseConfig(z.object(objectStoreShape), objectStore.settings, PLATFORM_KEYS);
  const remote = await openBlobStore(background, config, () => undefined);
  const archiver = new AuditArchiver(background, remote, logger);
  const tenantId = await tenantWith([800, 790], [400]);
  objectStore.failNext({ status: 403, code: 'AccessDenied' });
  const told = jest.spyOn(logger, 'error');
  expect(await archiver.archive()).toBe(0);
  const err = expect.objectContaining({ code: 'unavailable' });
  expect(told.mock.calls).toEqual([[{ err, tenant_id: tenantId }, expect.any(String)]]);
  told.mockRestore();
  expect(await leavesOf(tenantId)).toEqual([0, 1, 2]);
  await archiver.archive();
  expect(await leavesOf(tenantId)).toEqual([]);
  const keys = [...objectStore.objects.keys()].filter((key) => key.includes(tenantId));
  expect(keys).toEqual([expect.stringContaining(`here/${tenantId}/`)]);
  expect(gunzipSync(await archiveOf(tenantId, 0, remote)).toString()).toContain('secret:x');
  // What the attempt noted that was refused is due in a while.
  await owner.query(`update unused_objects set due_at = now() where tenant_id = $1`, [tenantId]);
  const due = await background.asService((tx) => findDueObjects(tx, 10));
  expect(due).toHaveLength(1);
  expect(keys[0]).not.toContain(due[0]?.id);
});

test('archives go when their plan keeps them no longer, not before, and their objects with them', async () => {
  const config = parseConfig(z.object(objectStoreShape), objectStore.settings, PLATFORM_KEYS);
  const remote = await openBlobStore(background, config, () => undefined);
  const tenantId = await tenantWith([800, 790]);
  await owner.query(
    `insert into plans (name, calls_per_minute, concurrent_calls, servers_max, worker_memory_mb, audit_archive_days)
     values ('brief', 1, 1, 1, 64, 30) on conflict do nothing`,
  );
  await owner.query(`update tenants set plan = 'brief' where id = $1`, [tenantId]);
  await new AuditArchiver(background, remote, logger).archive();
  const retention = new ArchiveRetention(background, logger);
  expect(await retention.sweep()).toBe(0);
  const remove = `delete from audit_archives where tenant_id = $1`;
  await expect(background.asTenant(tenantId, (tx) => tx.query(remove, [tenantId]))).rejects.toThrow(/append-only/);
  await letDaysPass(tenantId, 31);
  expect(await retention.sweep()).toBe(1);
  expect(await archivesOf(tenantId)).toEqual([]);
  const { rows } = await owner.query(
    `select a.details, u.due_at <= now() as due from audit_records a join unused_objects u using (tenant_id)
     where tenant_id = $1 and a.event = 'audit.archive_deleted'`,
    [tenantId],
  );
  expect(rows).toMatchObject([{ details: { first_leaf: 0, end_leaf: 2 }, due: true }]);
});

test('an archive is kept as long as the plan said when it was made, or longer, but not shorter', async () => {
  await owner.query(
    `insert into plans (name, calls_per_minute, concurrent_calls, servers_max, worker_memory_mb, audit_archive_days)
     values ('day', 1, 1, 1, 64, 1), ('month', 1, 1, 1, 64, 30), ('year', 1, 1, 1, 64, 365)`,
  );
  const retention = new ArchiveRetention(background, logger);
  const changes = async (from: string, to: string, days: number): Promise<number> => {
    const tenantId = await tenantWith([800]);
    await owner.query(`update tenants set plan = $2 where id = $1`, [tenantId, from]);
    await new AuditArchiver(background, blobs, logger).archive();
    await owner.query(`update tenants set plan = $2 where id = $1`, [tenantId, to]);
    await letDaysPass(tenantId, days);
    await background.asTenant(tenantId, (tx) =>
      tx.query(`delete from audit_archives where tenant_id = $1 and $2`, [tenantId, to === 'day']),
    );
    await retention.sweep();
    return (await archivesOf(tenantId)).length;
  };
  expect(await changes('month', 'day', 29)).toBe(1);
  expect(await changes('month', 'day', 31)).toBe(0);
  expect(await changes('month', 'year', 31)).toBe(1);
  expect(await changes('free', 'day', 3_000)).toBe(1);
});

test('an archive’s bytes cannot be changed or emptied, even by who owns the schema', async () => {
  const tenantId = await tenantWith([800]);
  await new AuditArchiver(background, blobs, logger).archive();
  for (const statement of [
    `update audit_archives set digest = 'sha256:' || repeat('0', 64) where tenant_id = '${tenantId}'`,
    `delete from audit_archives where tenant_id = '${tenantId}'`,
    `truncate audit_archives cascade`,
    `update audit_archive_chunks set content = 'x'`,
    `delete from audit_archive_chunks where tenant_id = '${tenantId}'`,
    `truncate audit_archive_chunks`,
  ])
    await expect(owner.query(statement)).rejects.toThrow(/append-only/);
  expect(gunzipSync(await archiveOf(tenantId)).toString()).toContain('secret:x');
});
