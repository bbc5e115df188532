import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { appendAudit, type AuditEntry } from '#libs/audit';
import { Database, newId } from '#libs/database';
import { PersonKeys } from '#libs/secrets';
import { createLogger } from '#libs/telemetry';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';
import { AuditSequencer } from '../audit-log/audit-sequencer.js';

let store: TestDatabase;
let background: Database;
let control: Database;
let owner: Client;
let sequencer: AuditSequencer;

beforeAll(async () => {
  store = await testDatabase();
  background = await Database.connect({ ...store, role: 'wharf_background', poolSize: 2 });
  control = await Database.connect({ ...store, role: 'wharf_control', poolSize: 1 });
  owner = new Client({ connectionString: store.databaseUrl });
  await owner.connect();
  sequencer = new AuditSequencer({
    database: background,
    persons: new PersonKeys(store.masterKey),
    key: generateKeyPairSync('ed25519').privateKey,
    publicUrl: new URL('https://wharf.test'),
    logger: createLogger('test', 'silent'),
  });
});

afterAll(async () => {
  await Promise.all([background.close(), control.close(), owner.end()]);
  await store.drop();
});

async function newTenant(plan: string): Promise<string> {
  const id = newId();
  await owner.query(`insert into tenants (id, slug, name, plan) values ($1, $2, 'T', $3)`, [id, `t-${id}`, plan]);
  return id;
}

/** A call of the tool `find` that took 1,500 ms and 100 bytes. */
function call(more: Partial<AuditEntry> = {}, details: Record<string, unknown> = {}): AuditEntry {
  const told = { method: 'tools/call', name: 'find', server: 'orders', era: 'modern', worker_ms: 1_500 };
  return {
    event: 'call.completed',
    actor: { kind: 'api-key', id: 'k1' },
    target: 'server:x',
    outcome: 'ok',
    ...more,
    details: { ...told, bytes_in: 40, bytes_out: 60, ...details },
  } as AuditEntry; // the log keeps whatever it is given
}

async function record(tenantId: string, entries: readonly AuditEntry[]): Promise<void> {
  await control.asTenant(tenantId, (tx) => appendAudit(tx, tenantId, entries));
  await sequencer.sequence();
}

async function hours(tenantId: string): Promise<unknown[]> {
  const { rows } = await owner.query(
    `select to_char(hour at time zone 'utc', 'YYYY-MM-DD HH24:MI') as hour, server, tool, client, calls::int,
       failed::int, tool_ms::int, bytes_in::int, bytes_out::int, egress_bytes::int
     from usage_hours where tenant_id = $1 order by hour, server, tool, client`,
    [tenantId],
  );
  return rows;
}

async function budgetEvents(tenantId: string): Promise<unknown[]> {
  await sequencer.sequence();
  const { rows } = await owner.query(
    `select event, details ->> 'budget' as budget, (details ->> 'used')::int as used from audit_log
     where tenant_id = $1 and event like 'budget.%' order by leaf_index`,
    [tenantId],
  );
  return rows;
}

test('the ledger adds up to the calls in the log, by hour, server, tool and client, each call once', async () => {
  const tenantId = await newTenant('free');
  const at = new Date('2026-03-31T22:59:59.999Z');
  const again = call({ at });
  await record(tenantId, [
    again,
    // At the tenant's own URL a tool has another name; it is the same tool.
    call({ at, outcome: 'deadline' }, { name: 'orders__find', tool: 'find', egress_bytes: 7 }),
    call({ at: new Date('2026-03-31T23:00:00Z'), actor: { kind: 'person', id: newId(), client: 'editor' } }),
    call({ at }, { name: 'made_up', fault: 'unknown_tool' }),
    call({ at }, { name: undefined, method: 'tools/list', worker_ms: 5 }),
    { ...call({ at }), event: 'call.refused' } as AuditEntry, // never reached a worker
  ]);
  // A spool that was not emptied brings it a second time, under the id that it has.
  const { rows } = await owner.query(`select id from audit_log where tenant_id = $1 and outcome = 'ok' limit 1`, [
    tenantId,
  ]);
  await record(tenantId, [{ ...again, id: rows[0].id }, call({ at })]);
  const rest = { failed: 0, bytes_in: 80, bytes_out: 120, egress_bytes: 0 };
  const first = { hour: '2026-03-31 22:00', server: 'orders', client: 'api-key:k1' };
  expect(await hours(tenantId)).toEqual([
    { ...first, ...rest, tool: '', calls: 2, tool_ms: 0 },
    { ...first, tool: 'find', calls: 3, failed: 1, tool_ms: 4_500, bytes_in: 120, bytes_out: 180, egress_bytes: 7 },
    {
      ...rest,
      hour: '2026-03-31 23:00',
      server: 'orders',
      tool: 'find',
      client: 'editor',
      calls: 1,
      tool_ms: 1_500,
      bytes_in: 40,
      bytes_out: 60,
    },
  ]);
  const log = await owner.query(
    `select count(*)::int as calls from audit_log where tenant_id = $1 and event = 'call.completed'`,
    [tenantId],
  );
  const month = await owner.query(
    `select month::text, calls::int, bytes::int, egress_bytes::int as egress from usage_months where tenant_id = $1`,
    [tenantId],
  );
  expect([log.rows[0].calls, month.rows]).toEqual([6, [{ month: '2026-03-01', calls: 6, bytes: 607, egress: 7 }]]);
});

test('a budget is warned of once and reached once; a larger plan makes room, and it may be reached again', async () => {
  await owner.query(
    `insert into plans (name, calls_per_minute, concurrent_calls, servers_max, worker_memory_mb, calls_per_month,
       tool_seconds_per_month) values ('small', 1, 1, 1, 256, 10, 1000), ('larger', 1, 1, 1, 256, 13, 1000)`,
  );
  const [tenantId, other] = [await newTenant('small'), await newTenant('small')];
  const calls = (count: number) => Array.from({ length: count }, () => call());
  await record(other, calls(1));
  await record(tenantId, calls(7));
  expect(await budgetEvents(tenantId)).toEqual([]);
  await record(tenantId, calls(1));
  await record(tenantId, calls(1));
  const warned = { event: 'budget.warned', budget: 'calls_per_month', used: 8 };
  expect(await budgetEvents(tenantId)).toEqual([warned]);
  await record(tenantId, calls(1));
  await record(tenantId, calls(1));
  const reached = { event: 'budget.reached', budget: 'calls_per_month', used: 10 };
  expect(await budgetEvents(tenantId)).toEqual([warned, reached]);
  await owner.query(`update tenants set plan = 'larger' where id = $1`, [tenantId]);
  await record(tenantId, calls(1));
  await record(tenantId, calls(1));
  expect(await budgetEvents(tenantId)).toEqual([warned, reached, { ...reached, used: 13 }]);
  expect(await budgetEvents(other)).toEqual([]);
});
