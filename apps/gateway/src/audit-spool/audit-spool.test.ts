import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import {
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Database, newId } from '#libs/database';
import { createLogger } from '#libs/telemetry';
import { testDatabase, until, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';
import { AuditSpool } from './audit-spool.js';
import type { SpooledEntry } from './records.js';

let store: TestDatabase;
let control: Database;
let database: Database;
let root: string;
let tenantId: string;
const logger = createLogger('gateway', 'silent');

beforeAll(async () => {
  store = await testDatabase();
  control = await Database.connect({ ...store, role: 'wharf_control' });
  database = await Database.connect({ ...store, role: 'wharf_gateway' });
});

beforeEach(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'wharf-spool-test-'));
  tenantId = newId();
  await control.asTenant(tenantId, (tx) =>
    tx.query(`insert into tenants (id, slug, name) values ($1, $2, 'T')`, [tenantId, `t-${tenantId}`]),
  );
});

afterAll(async () => {
  await Promise.all([control.close(), database.close()]);
  await store.drop();
});

function entry(): SpooledEntry {
  const at = new Date().toISOString();
  return {
    tenantId,
    id: newId(),
    at,
    event: 'call.completed',
    actor: { kind: 'anonymous' },
    target: 'server:a',
    details: { method: 'tools/call', era: 'modern' },
  };
}

/** What a descriptor of ours leads to; undefined for one that was closed since it was listed. */
function readlinkIfOpen(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}

interface RecordRow {
  readonly id: string;
  readonly event: string;
  readonly outcome: string;
  readonly details: Record<string, unknown>;
}

function records(): Promise<RecordRow[]> {
  return control.asTenant(tenantId, (tx) =>
    tx.query('select id, event, outcome, details from audit_records order by id'),
  );
}

function files(): string[] {
  return readdirSync(root).flatMap((name) =>
    readdirSync(path.join(root, name)).map((file) => path.join(root, name, file)),
  );
}

/** What a gateway that was killed leaves behind: its lines, in the folder of a process that is gone. */
function leaveBehind(lines: readonly object[], cutOff = ''): void {
  const directory = path.join(root, `999999999-${newId()}`);
  mkdirSync(directory);
  writeFileSync(
    path.join(directory, '00000000.ndjson'),
    `${lines.map((line) => JSON.stringify(line)).join('\n')}\n${cutOff}`,
  );
}

test('an intent is on disk before the call may run, and the spool is gone once its records have arrived', async () => {
  const spool = await AuditSpool.open({ root, database, logger });
  const given = entry();
  const record = await spool.intend(given);
  expect(
    files()
      .map((file) => readFileSync(file, 'utf8'))
      .join(''),
  ).toContain(given.id);
  await record.end({ outcome: 'ok', details: { duration_ms: 3 } });
  await record.end({ outcome: 'deadline', details: {} });
  await spool.close();
  expect(await records()).toMatchObject([
    { id: given.id, outcome: 'ok', details: { method: 'tools/call', era: 'modern', duration_ms: 3 } },
  ]);
  expect(readdirSync(root)).toEqual([]);
});

test('what a crash left is written once each, and intents without an outcome as interrupted', async () => {
  const [finished, cut] = [entry(), entry()];
  const lines = [
    { t: 'intent', entry: finished },
    { t: 'intent', entry: cut },
    { t: 'outcome', id: finished.id, outcome: 'ok', details: {} },
  ];
  leaveBehind(lines, '{"t":"intent","entry":{"tena');
  leaveBehind(lines, '\0'.repeat(300_000));
  leaveBehind(lines);
  await (await AuditSpool.open({ root, database, logger })).close();
  const outcomes = new Map((await records()).map((record) => [record.id, record.outcome]));
  expect(outcomes).toEqual(
    new Map([
      [finished.id, 'ok'],
      [cut.id, 'interrupted'],
    ]),
  );
  expect(readdirSync(root)).toEqual([]);
});

test('what a crash left is written although PostgreSQL does not keep its characters', async () => {
  const odd = { ...entry(), details: { method: 'a\u0000', era: 'legacy', name: '\ud800' } };
  leaveBehind([{ t: 'intent', entry: odd }]);
  await (await AuditSpool.open({ root, database, logger })).close();
  expect(await records()).toMatchObject([{ id: odd.id, details: { method: 'a\ufffd', name: '\ufffd' } }]);
});

test('while the database does not take records they wait on disk, and past the bound calls are refused', async () => {
  const away = await Database.connect({ ...store, role: 'wharf_gateway' });
  const spool = await AuditSpool.open({ root, database: away, logger, entriesMax: 2 });
  await away.close();
  const kept = [entry(), entry()];
  for (const given of kept) await (await spool.intend(given)).end({ outcome: 'ok', details: {} });
  await expect(spool.intend(entry())).rejects.toMatchObject({
    code: 'unavailable',
    status: 503,
    retryAfterSeconds: 10,
  });
  await spool.close();
  expect(files().every((file) => existsSync(file))).toBe(true);
  await (await AuditSpool.open({ root, database, logger })).close();
  const arrived = await records();
  expect(arrived.map((record) => record.id).slice(0, 2)).toEqual(kept.map(({ id }) => id));
  expect(arrived.slice(2)).toMatchObject([{ outcome: 'ok', details: { calls_refused: 1, notes_dropped: 0 } }]);
});

test('past the bytes that a spool may take, calls are refused too', async () => {
  const spool = await AuditSpool.open({ root, database, logger, bytesMax: 10 });
  await (await spool.intend(entry())).end({ outcome: 'ok', details: {} });
  await expect(spool.intend(entry())).rejects.toMatchObject({ code: 'unavailable' });
  await spool.close();
});

test('a gap is marked in the log once there is room again: from when, to when, and what was refused and lost', async () => {
  const owner = new Client({ connectionString: store.databaseUrl });
  await owner.connect();
  const spool = await AuditSpool.open({ root, database, logger, entriesMax: 4 });
  try {
    await owner.query(`revoke insert on audit_records from wharf_gateway`);
    for (let made = 0; made < 4; made += 1) await (await spool.intend(entry())).end({ outcome: 'ok', details: {} });
    await expect(spool.intend(entry())).rejects.toMatchObject({ code: 'unavailable' });
    await expect(spool.intend(entry())).rejects.toMatchObject({ code: 'unavailable' });
    spool.note(entry(), { outcome: 'ok', details: {} });
  } finally {
    await owner.query(`grant insert on audit_records to wharf_gateway`);
  }
  const gap = await until(async () => (await records()).find(({ event }) => event === 'audit.gap'), 'the gap’s record');
  expect(gap).toMatchObject({ outcome: 'ok', details: { calls_refused: 2, notes_dropped: 1 } });
  expect(Date.parse(String(gap.details['until']))).toBeGreaterThan(0);
  await (await spool.intend(entry())).end({ outcome: 'ok', details: {} });
  await spool.close();
  await owner.end();
});

test('a gap whose gateway was killed is marked as interrupted', async () => {
  const gap = { ...entry(), event: 'audit.gap' };
  leaveBehind([{ t: 'intent', entry: gap }]);
  await (await AuditSpool.open({ root, database, logger })).close();
  expect(await records()).toMatchObject([{ event: 'audit.gap', outcome: 'interrupted' }]);
});

test('in the database mode the record is committed when its end settles, and calls are refused while that fails', async () => {
  const spool = await AuditSpool.open({ root, database, logger });
  const given = entry();
  expect(await (await spool.intend(given, 'database')).end({ outcome: 'ok', details: {} })).toBeUndefined();
  expect((await records()).map(({ id }) => id)).toEqual([given.id]);
  await spool.close();
  const away = await Database.connect({ ...store, role: 'wharf_gateway' });
  const cut = await AuditSpool.open({ root, database: away, logger });
  const open = await cut.intend(entry(), 'database');
  await away.close();
  expect(await open.end({ outcome: 'ok', details: {} })).toMatchObject({ code: 'unavailable' });
  await expect(cut.intend(entry(), 'database')).rejects.toMatchObject({ code: 'unavailable' });
  await (await cut.intend(entry(), 'disk')).end({ outcome: 'ok', details: {} });
  await cut.close();
});

test('in the disk mode every write is on disk when it returns: its file is open for nothing else', async () => {
  const spool = await AuditSpool.open({ root, database, logger });
  const record = await spool.intend(entry(), 'disk');
  const flagsOf = (name: string): number[] =>
    readdirSync('/proc/self/fd').flatMap((fd) => {
      const file = readlinkIfOpen(`/proc/self/fd/${fd}`);
      if (!file?.startsWith(root) || path.basename(file) !== name) return [];
      const [, flags = ''] = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')) ?? [];
      return [Number.parseInt(flags, 8) & constants.O_DSYNC];
    });
  expect(flagsOf('disk-00000000.ndjson')).toEqual([constants.O_DSYNC]);
  expect(flagsOf('process-00000000.ndjson')).toEqual([0]);
  await record.end({ outcome: 'ok', details: {} });
  await spool.close();
});

test('in the process mode an intent is in a file before the call may run', async () => {
  const spool = await AuditSpool.open({ root, database, logger });
  const given = entry();
  const record = await spool.intend(given, 'process');
  const written = files().filter((file) => readFileSync(file, 'utf8').includes(given.id));
  expect(written.map((file) => path.basename(file))).toEqual(['process-00000000.ndjson']);
  await record.end({ outcome: 'ok', details: {} });
  await spool.close();
  expect((await records()).map(({ id }) => id)).toEqual([given.id]);
  expect(readdirSync(root)).toEqual([]);
});

test('the spool of a gateway that still runs is left alone', async () => {
  const running = await AuditSpool.open({ root, database, logger });
  const record = await running.intend(entry());
  await (await AuditSpool.open({ root, database, logger })).close();
  expect(await records()).toEqual([]);
  await record.end({ outcome: 'ok', details: {} });
  await running.close();
  expect((await records()).map(({ outcome }) => outcome)).toEqual(['ok']);
});
