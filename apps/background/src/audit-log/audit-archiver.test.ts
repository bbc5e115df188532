import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { appendAudit, checkpointOrigin, publicKeyBytes, verifierKey } from '#libs/audit';
import { Database, newId } from '#libs/database';
import { PersonKeys } from '#libs/secrets';
import { createLogger } from '#libs/telemetry';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';
import { AuditArchiver } from './audit-archiver.js';
import { AuditSequencer } from './audit-sequencer.js';

const { privateKey } = generateKeyPairSync('ed25519');
const publicUrl = new URL('https://wharf.test');
const logger = createLogger('test', 'silent');
const DAY_MS = 86_400_000;

let store: TestDatabase;
let background: Database;
let control: Database;
let owner: Client;
let folder: string;

beforeAll(async () => {
  store = await testDatabase();
  background = await Database.connect({ ...store, role: 'wharf_background' });
  control = await Database.connect({ ...store, role: 'wharf_control' });
  owner = new Client({ connectionString: store.databaseUrl });
  await owner.connect();
  folder = mkdtempSync(path.join(tmpdir(), 'wharf-archive-'));
});

afterAll(async () => {
  await Promise.all([background.close(), control.close(), owner.end()]);
  await store.drop();
  rmSync(folder, { recursive: true });
});

/** A tenant with records of these ages in days, each batch under a checkpoint of its own. */
async function tenantWith(...batches: number[][]): Promise<string> {
  const id = newId();
  await owner.query(`insert into tenants (id, slug, name) values ($1, $2, 'T')`, [id, `t-${id}`]);
  const persons = new PersonKeys(store.masterKey);
  const sequencer = new AuditSequencer({ database: background, persons, key: privateKey, publicUrl, logger });
  for (const ages of batches) {
    const entries = ages.map((days) => ({
      at: new Date(Date.now() - days * DAY_MS),
      event: 'secret.deleted' as const,
      actor: { kind: 'system', id: 'test' } as const,
      target: 'secret:x',
      outcome: 'ok',
    }));
    await control.asTenant(id, (tx) => appendAudit(tx, id, entries));
    await owner.query(`update audit_trees set checkpoint_at = now() - interval '61 seconds' where tenant_id = $1`, [
      id,
    ]);
    await sequencer.sequence();
  }
  await owner.query(`update audit_trees set archive_due = now() - interval '1 second' where tenant_id = $1`, [id]);
  return id;
}

const archivesOf = async (tenantId: string) =>
  (
    await owner.query(
      `select first_leaf::int, end_leaf::int, content from audit_archives where tenant_id = $1 order by first_leaf`,
      [tenantId],
    )
  ).rows;
const leavesOf = async (tenantId: string): Promise<number[]> =>
  (await owner.query(`select leaf_index::int from audit_log where tenant_id = $1 order by 1`, [tenantId])).rows.map(
    ({ leaf_index: leaf }) => leaf,
  );

test('records that are older than the plan keeps go to an archive, up to a checkpoint, and the others stay', async () => {
  const tenantId = await tenantWith([800, 790], [400, 380], [200, 1]);
  await new AuditArchiver(background, logger).archive();
  expect(await archivesOf(tenantId)).toMatchObject([{ first_leaf: 0, end_leaf: 4 }]);
  expect(await leavesOf(tenantId)).toEqual([4, 5]);
});

test('a young record among old ones keeps what comes after it', async () => {
  const tenantId = await tenantWith([800, 790], [3], [700]);
  await new AuditArchiver(background, logger).archive();
  expect(await leavesOf(tenantId)).toEqual([2, 3]);
});

test('each archive is checked alone, and what follows goes on from it', async () => {
  const tenantId = await tenantWith([800, 790, 780], [400]);
  await new AuditArchiver(background, logger).archive();
  await owner.query(`update audit_trees set archive_due = now() where tenant_id = $1`, [tenantId]);
  const [archive] = await archivesOf(tenantId);
  const { rows } = await owner.query(`select size::int, note from audit_checkpoints where tenant_id = $1`, [tenantId]);
  const write = (name: string, content: string | Buffer) => writeFileSync(path.join(folder, name), content);
  write('key', verifierKey(checkpointOrigin(publicUrl, tenantId), publicKeyBytes(privateKey)));
  for (const { size, note } of rows) write(`checkpoint-${size}`, note);
  write('archive.ndjson.gz', archive.content);
  const verify = (file: string, checkpoint: string): string => {
    const command = [path.resolve('bin/wharf-verify.mjs'), 'key', file, checkpoint];
    const run = spawnSync(process.execPath, command, { cwd: folder, encoding: 'utf8' });
    return `${run.stdout}${run.stderr}`.trim();
  };
  expect(verify('archive.ndjson.gz', 'checkpoint-4')).toBe('4 records agree with 1 checkpoints');
  const lines = gunzipSync(archive.content).toString().split('\n');
  write('changed.ndjson', lines.join('\n').replace('secret:x', 'secret:y'));
  expect(verify('changed.ndjson', 'checkpoint-4')).toMatch(/^DIFFERENT position 0:/);
});

test('a record that was changed before it was archived keeps the hash that the tree holds', async () => {
  const tenantId = await tenantWith([800, 790]);
  const { rows } = await owner.query(`select hashes from audit_tiles where tenant_id = $1 and level = 0`, [tenantId]);
  await owner.query(`set session_replication_role = replica`);
  await owner.query(`update audit_log set target = 'server:other' where tenant_id = $1 and leaf_index = 1`, [tenantId]);
  await owner.query(`set session_replication_role = origin`);
  await new AuditArchiver(background, logger).archive();
  const [archive] = await archivesOf(tenantId);
  const line = JSON.parse(gunzipSync(archive.content).toString().split('\n')[2] ?? '');
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
