import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AUDIT_EVENTS } from '#libs/audit';
import { Database, newId } from '#libs/database';
import { AppError } from '#libs/errors';
import { createLogger } from '#libs/telemetry';
import { testDatabase, until, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';
import { AuditSpool } from './audit-spool.js';
import type { SpooledEntry, SpooledOutcome } from './records.js';

/** The wait for a commit ends while PostgreSQL has the record in hand: the log says what the caller was told. */
const COMMIT_MS = 400;

let store: TestDatabase;
let control: Database;
let database: Database;
let tenantId: string;

beforeAll(async () => {
  store = await testDatabase();
  control = await Database.connect({ ...store, role: 'wharf_control' });
  database = await Database.connect({ ...store, role: 'wharf_gateway' });
});

beforeEach(async () => {
  tenantId = newId();
  await control.asTenant(tenantId, (tx) =>
    tx.query(`insert into tenants (id, slug, name) values ($1, $2, 'T')`, [tenantId, `t-${tenantId}`]),
  );
});

afterAll(async () => {
  await Promise.all([control.close(), database.close()]);
  await store.drop();
});

function openSpool(over: Pick<Database, 'asTenant'>): Promise<AuditSpool> {
  const root = mkdtempSync(path.join(tmpdir(), 'wharf-commit-test-'));
  return AuditSpool.open({ root, database: over, logger: createLogger('gateway', 'silent'), commitMs: COMMIT_MS });
}

const answered: SpooledOutcome = { outcome: 'ok', details: { http_status: 200 } };
const withheld = ({ status, jsonRpcCode }: AppError): SpooledOutcome => ({
  outcome: 'ok',
  details: { http_status: status, rpc_code: jsonRpcCode },
});
const TOLD = { http_status: 503, rpc_code: -31_053 };

/** Runs a call to its end in the `database` mode; returns its id and what is answered in its place. */
async function run(spool: AuditSpool): Promise<{ readonly id: string; readonly instead: AppError | undefined }> {
  const entry: SpooledEntry = {
    tenantId,
    id: newId(),
    at: new Date().toISOString(),
    event: 'call.completed',
    actor: { kind: 'anonymous' },
    target: 'server:a',
    details: { method: 'tools/call', era: 'modern' },
  };
  const record = await spool.intend(entry, 'database');
  return { id: entry.id, instead: await record.end(answered, withheld) };
}

interface RecordRow {
  readonly id: string;
  readonly event: string;
  readonly outcome: string;
  readonly details: Record<string, unknown>;
}

function records(): Promise<RecordRow[]> {
  return control.asTenant(tenantId, (tx) =>
    tx.query('select id, event, outcome, details from audit_records order by event, id'),
  );
}

test('a record that waited for a lock longer than its reply says what was told instead', async () => {
  const owner = new Client({ connectionString: store.databaseUrl });
  await owner.connect();
  await owner.query('begin');
  await owner.query('lock table audit_records in share mode');
  const spool = await openSpool(database);
  const { id, instead } = await run(spool);
  expect(instead).toMatchObject({ code: 'unavailable' });
  await owner.query('commit');
  await until(async () => (await records()).length > 0, 'the record');
  await spool.close();
  expect(await records()).toMatchObject([{ id, event: 'call.completed', outcome: 'ok', details: TOLD }]);
  await owner.end();
});

test.each([
  [
    'the commit is done when the reply has been kept back',
    (done: Promise<unknown>): Pick<Database, 'asTenant'> => ({
      asTenant: (tenant, work, options) =>
        database.asTenant(
          tenant,
          async (tx) => {
            const result = await work(tx);
            await done;
            return result;
          },
          options,
        ),
    }),
  ],
  [
    'the connection is lost after the commit, and the next try comes after the reply has been kept back',
    (): Pick<Database, 'asTenant'> => {
      let tries = 0;
      return {
        asTenant: async (tenant, work, options) => {
          const result = await database.asTenant(tenant, work, options);
          if (tries++ === 0) throw new AppError('unavailable', { message: 'Connection terminated' });
          return result;
        },
      };
    },
  ],
])('where the record was stored as answered, a second one says that it was not: %s', async (_, over) => {
  let settle: () => void = () => undefined;
  const spool = await openSpool(over(new Promise<void>((resolve) => (settle = resolve))));
  const { id, instead } = await run(spool);
  expect(instead).toMatchObject({ code: 'unavailable' });
  settle();
  await until(async () => (await records()).length > 1, 'the second record');
  await spool.close();
  const [call, note] = await records();
  expect(call).toMatchObject({ id, event: 'call.completed', outcome: 'ok', details: { http_status: 200 } });
  expect(note).toMatchObject({ event: 'call.withheld', outcome: 'unavailable', details: { call: id, ...TOLD } });
  expect(() => AUDIT_EVENTS['call.withheld'].details.parse(note?.details)).not.toThrow();
});
