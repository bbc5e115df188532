import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Database, newId } from '#libs/database';
import { createLogger } from '#libs/telemetry';
import { testDatabase, type TestDatabase } from '#libs/testing';
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
    details: { method: 'tools/call' },
  };
}

function records(): Promise<Array<{ id: string; outcome: string; details: object }>> {
  return control.asTenant(tenantId, (tx) => tx.query('select id, outcome, details from audit_records order by id'));
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
  record.end({ outcome: 'ok', details: { duration_ms: 3 } });
  record.end({ outcome: 'deadline', details: {} });
  await spool.close();
  expect(await records()).toEqual([{ id: given.id, outcome: 'ok', details: { method: 'tools/call', duration_ms: 3 } }]);
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

test('while the database does not take records they wait on disk, and past the bound calls are refused', async () => {
  const away = await Database.connect({ ...store, role: 'wharf_gateway' });
  const spool = await AuditSpool.open({ root, database: away, logger, entriesMax: 2 });
  await away.close();
  const kept = [entry(), entry()];
  for (const given of kept) (await spool.intend(given)).end({ outcome: 'ok', details: {} });
  await expect(spool.intend(entry())).rejects.toMatchObject({ code: 'unavailable' });
  await spool.close();
  expect(files().every((file) => existsSync(file))).toBe(true);
  await (await AuditSpool.open({ root, database, logger })).close();
  expect((await records()).map((record) => record.id)).toEqual(kept.map(({ id }) => id));
});

test('the spool of a gateway that still runs is left alone', async () => {
  const running = await AuditSpool.open({ root, database, logger });
  const record = await running.intend(entry());
  await (await AuditSpool.open({ root, database, logger })).close();
  expect(await records()).toEqual([]);
  record.end({ outcome: 'ok', details: {} });
  await running.close();
  expect((await records()).map(({ outcome }) => outcome)).toEqual(['ok']);
});
