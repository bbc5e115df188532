import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { MerkleTree, recordLeaf, toLogRecord, type LogRow } from '#libs/audit';
import { signUp, WharfApi } from '#libs/journey';
import { startWharf, until, type Wharf } from '#libs/testing';
import { Client } from 'pg';
import { beRefused, countedRefusals, REFUSED } from './refused-of-nobody.fixture.js';

/** A tenant keeps its checkpoints; somebody with all rights on the database changes the log. */
const RECORDS = 12;

let wharf: Wharf;
let owner: Client;
let folder: string;
let tenantId: string;
let key: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'wharf-proof-'));
  wharf = await startWharf();
  owner = new Client({ connectionString: wharf.databaseUrl });
  await owner.connect();
  const person = { tenantName: 'Kept', slug: 'kept', email: 'owner@kept.example', password: 'kept correct horse' };
  const { api_key: apiKey, tenant } = await signUp(wharf.url, person);
  [key, tenantId] = [apiKey.text, tenant.id];
  const api = new WharfApi({ publicUrl: wharf.url, apiKey: key });
  for (let index = 0; index < 8; index += 1) await api.createServer(`server-${index}`, `Server ${index}`);
  await numbered(RECORDS);
  await owner.query(`update audit_trees set checkpoint_at = now() - interval '61 seconds' where tenant_id = $1`, [
    tenantId,
  ]);
  await checkpointOf(RECORDS);
  // From here on what arrives is not numbered, so that the log stays as it is but for what the intruder does.
  await owner.query(`select pg_advisory_lock(hashtextextended($1, 0))`, [`audit-tree:${tenantId}`]);
  await checkpointOf(RECORDS);
  await owner.query(`create table kept_log as select * from audit_log where tenant_id = $1`, [tenantId]);
  await owner.query(`create table kept_tiles as select * from audit_tiles where tenant_id = $1`, [tenantId]);
  const { keys } = await get('/v1/audit/keys');
  writeFileSync(path.join(folder, 'key'), `${keys[0].verifier_key}\n`);
});

afterAll(async () => {
  await owner?.end();
  await wharf?.stop();
  rmSync(folder, { recursive: true });
});

afterEach(() =>
  asIntruder(
    `delete from audit_log where tenant_id = '${tenantId}'`,
    `insert into audit_log select * from kept_log`,
    `delete from audit_tiles where tenant_id = '${tenantId}'`,
    `insert into audit_tiles select * from kept_tiles`,
  ),
);

async function get(where: string) {
  const response = await fetch(`${wharf.url}${where}`, { headers: { authorization: `Bearer ${key}` } });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${where}: ${response.status} ${text}`);
  return response.headers.get('content-type')?.startsWith('application/json') === true ? JSON.parse(text) : text;
}

/** Follows the log until it has so many records. */
async function numbered(records: number): Promise<void> {
  const following = new AbortController();
  const response = await fetch(`${wharf.url}/v1/audit/export?follow=true`, {
    headers: { authorization: `Bearer ${key}` },
    signal: following.signal,
  });
  let lines = 0;
  for await (const chunk of response.body ?? []) {
    lines += Buffer.from(chunk).toString().split('\n').length - 1;
    if (lines >= records) break;
  }
  following.abort();
  expect(lines).toBeGreaterThanOrEqual(records);
}

/** Waits for a checkpoint of at least so many records and keeps it. */
async function checkpointOf(records: number): Promise<void> {
  await until(async () => {
    const { checkpoints } = await get('/v1/audit/checkpoints');
    for (const { size, note } of checkpoints) writeFileSync(path.join(folder, `checkpoint-${size}`), note);
    return checkpoints[0]?.size >= records;
  }, `a checkpoint of ${records} records`);
}

/** Runs statements with all rights, triggers or not. */
async function asIntruder(...statements: string[]): Promise<void> {
  await owner.query(`set session_replication_role = replica`);
  for (const statement of statements) await owner.query(statement);
  await owner.query(`set session_replication_role = origin`);
}

const logged = async (): Promise<LogRow[]> =>
  (
    await owner.query(
      `select id, leaf_index, at, event, actor, target, outcome, details, personal, source_address, trace_id
       from audit_log where tenant_id = $1 order by leaf_index`,
      [tenantId],
    )
  ).rows;

/** Exports the records that the kept checkpoints cover, and checks them. */
async function verified(): Promise<string> {
  const notes = await owner.query(`select max(size)::int as size from audit_checkpoints where tenant_id = $1`, [
    tenantId,
  ]);
  const size: number = notes.rows[0].size;
  const lines: string[] = (await get('/v1/audit/export')).split('\n').slice(0, size);
  writeFileSync(path.join(folder, 'export.ndjson'), lines.map((line) => `${line}\n`).join(''));
  const command = [path.resolve('bin/wharf-verify.mjs'), 'key', 'export.ndjson', `checkpoint-${size}`];
  const run = spawnSync(process.execPath, command, { cwd: folder, encoding: 'utf8' });
  return `${run.stdout}${run.stderr}`.trim();
}

/** Writes the tree anew over the records as they are now. */
async function rewriteTree(): Promise<void> {
  const leaves = (await logged()).map((row) => recordLeaf(toLogRecord(tenantId, row)));
  const { tiles } = await new MerkleTree(0, async () => Buffer.alloc(0)).grow(leaves);
  const hashes = tiles[0]?.hashes.toString('hex') ?? '';
  await asIntruder(`update audit_tiles set hashes = '\\x${hashes}' where tenant_id = '${tenantId}' and level = 0`);
}

test('the log of a tenant agrees with the checkpoints that it kept', async () => {
  expect(await verified()).toMatch(/^\d+ records agree with 1 checkpoints$/);
});

test('a record that was edited is found, with its position', async () => {
  await asIntruder(`update audit_log set outcome = 'refused' where tenant_id = '${tenantId}' and leaf_index = 3`);
  expect(await verified()).toBe('DIFFERENT position 3: the record is not the one in the tree');
});

test('a record that was deleted is found, with its position', async () => {
  await asIntruder(`delete from audit_log where tenant_id = '${tenantId}' and leaf_index = 4`);
  expect(await verified()).toBe('DIFFERENT position 4: holds leaf 5');
});

test('records that changed places are found, with their position', async () => {
  await asIntruder(
    `update audit_log set leaf_index = 7 - leaf_index where tenant_id = '${tenantId}' and leaf_index in (2, 5)`,
  );
  expect(await verified()).toBe('DIFFERENT position 2: the record is not the one in the tree');
});

test('a record that was inserted is found, with its position', async () => {
  await asIntruder(
    `insert into audit_log select tenant_id, gen_random_uuid(), leaf_index, at, event, actor, target, outcome, details, personal, source_address, trace_id
     from audit_log where tenant_id = '${tenantId}' and leaf_index = 6`,
  );
  expect(await verified()).toMatch(/^DIFFERENT position [67]: /);
});

test('a tail that was cut off is found, with its position', async () => {
  const kept = RECORDS - 2;
  await asIntruder(`delete from audit_log where tenant_id = '${tenantId}' and leaf_index >= ${kept}`);
  expect(await verified()).toMatch(new RegExp(`^DIFFERENT position ${kept}: `));
});

test('a month that was emptied whole is found, with the position from which records are missing', async () => {
  const { rows } = await owner.query(`select tableoid::regclass::text as month from audit_log limit 1`);
  await asIntruder(`truncate ${rows[0].month}`);
  expect(await verified()).toMatch(/^DIFFERENT position 0: /);
});

test('history that was rewritten together with its tree differs from the checkpoint that was kept', async () => {
  await asIntruder(`update audit_log set target = 'server:other' where tenant_id = '${tenantId}' and leaf_index = 1`);
  await rewriteTree();
  expect(await verified()).toMatch(/^DIFFERENT positions 0 to \d+: history differs from checkpoint-\d+$/);
});

test('a record is proved to be in the tree of a checkpoint, and the log to have only grown', async () => {
  const { records } = await get('/v1/audit?event=server.created&limit=1');
  const proof = await get(`/v1/audit/records/${records[0].id}/proof`);
  const { checkpoints } = await get('/v1/audit/checkpoints');
  const covering = checkpoints.find(({ size }: { size: number }) => size === proof.size);
  expect(proof.root).toBe(covering.root);
  expect(proof.leaf_index).toBe(records[0].leaf_index);
  const first = checkpoints.at(-1);
  const grown = await get(`/v1/audit/consistency?from=${first.size}&to=${proof.size}`);
  expect([grown.from_root, grown.to_root]).toEqual([first.root, covering.root]);
});

test('a member’s address is shown until the member is erased, and the log still agrees', async () => {
  const shown = await get('/v1/audit?event=tenant.created');
  expect(shown.records[0]).toMatchObject({ personal: 'shown', source_address: expect.any(String) });
  const person: string = shown.records[0].actor.id;
  const erased = await fetch(`${wharf.url}/v1/audit/people/${person}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${key}` },
  });
  expect(erased.status).toBe(204);
  const after = await get('/v1/audit?event=tenant.created');
  expect(after.records[0]).toMatchObject({ personal: 'erased', source_address: null, actor: { id: person } });
  expect(await verified()).toMatch(/agree/);
});

test('what operators did is proved as well, told to the tenant it concerned, and cannot be changed unseen', async () => {
  const ask = async (where: string) =>
    fetch(`${wharf.url}/admin/v1${where}`, { headers: { authorization: `Bearer ${wharf.operatorKey}` } });
  await ask('/tenants');
  await ask('/tenants/kept');
  const about = await get('/v1/audit?event=tenant.viewed');
  expect(about.records[0]).toMatchObject({ actor: { kind: 'operator' }, details: { action: 'tenants.show' } });
  const known = async (where: string) => JSON.parse(await (await ask(where)).text());
  const { actions } = await known('/actions?limit=200');
  const act = actions.find(({ action }: { action: string }) => action === 'tenants.show');
  const kept = await until(async () => {
    const newest = await known('/actions/checkpoints?limit=1');
    const { leaf_index: covered } = await known(`/actions/${act.id}/proof?size=${newest.checkpoints[0]?.size ?? 0}`);
    return covered !== undefined && newest;
  }, 'a checkpoint that covers the act');
  const [{ size, note }] = kept.checkpoints;
  writeFileSync(path.join(folder, 'platform-key'), `${kept.verifier_keys[0]}\n`);
  writeFileSync(path.join(folder, 'platform-checkpoint'), note);
  const proved = async (): Promise<string> => {
    const lines = (await (await ask('/actions/export')).text()).split('\n').slice(0, size);
    writeFileSync(path.join(folder, 'actions.ndjson'), lines.map((line) => `${line}\n`).join(''));
    const command = [path.resolve('bin/wharf-verify.mjs'), 'platform-key', 'actions.ndjson', 'platform-checkpoint'];
    const run = spawnSync(process.execPath, command, { cwd: folder, encoding: 'utf8' });
    return `${run.stdout}${run.stderr}`.trim();
  };
  expect(await proved()).toMatch(/agree/);
  const inclusion = await known(`/actions/${act.id}/proof?size=${size}`);
  expect(inclusion).toMatchObject({ size, root: note.split('\n')[2] });
  const line = (await (await ask('/actions/export')).text()).split('\n')[inclusion.leaf_index] ?? '';
  expect(JSON.parse(line)).toMatchObject({ leaf_hash: inclusion.leaf_hash, record: { id: act.id } });
  const grown = await known(`/actions/consistency?from=1&to=${size}`);
  expect(grown).toMatchObject({ from: 1, to: size, to_root: inclusion.root });
  const tooFar = await ask(`/actions/consistency?from=1&to=1000000`);
  expect([tooFar.status, await tooFar.text()]).toEqual([400, expect.stringContaining('/query/to')]);
  await expect(owner.query(`update operator_actions set reason = 'none'`)).rejects.toThrow(/append-only/);
  const first = `(select action_id from operator_log where leaf_index = 1)`;
  await asIntruder(`update operator_actions set reason = 'none of it' where id = ${first}`);
  expect(await proved()).toMatch(/^DIFFERENT position 1: /);
  await asIntruder(`delete from operator_actions where id = ${first}`);
  expect(await proved()).toMatch(/^DIFFERENT position 1: /);
});

test('what is refused of no tenant is counted in the platform’s own log: a foreign host, a stranger’s client and keys', async () => {
  await beRefused(wharf);
  await until(async () => {
    const found = await countedRefusals(wharf);
    return REFUSED.every((one) => found.includes(one));
  }, REFUSED.join());
});
