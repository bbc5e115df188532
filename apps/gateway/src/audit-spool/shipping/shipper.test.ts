import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { AUDIT_EVENTS, type AuditEntry } from '#libs/audit';
import { Database, newId } from '#libs/database';
import { createLogger } from '#libs/telemetry';
import { testDatabase, until, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';
import { Shipper } from './shipper.js';

let store: TestDatabase;
let control: Database;
let database: Database;
let owner: Client;
let shipper: Shipper;

beforeAll(async () => {
  store = await testDatabase();
  control = await Database.connect({ ...store, role: 'wharf_control' });
  database = await Database.connect({ ...store, role: 'wharf_gateway' });
  owner = new Client({ connectionString: store.databaseUrl });
  await owner.connect();
});

beforeEach(() => {
  const logger = createLogger('gateway', 'silent');
  shipper = new Shipper({ database, logger, atOnceMs: 400, onArrival: () => undefined });
});

afterEach(async () => {
  await owner.query(`drop trigger if exists refuse on audit_records`);
  await shipper.flush();
});

afterAll(async () => {
  await Promise.all([control.close(), database.close(), owner.end()]);
  await store.drop();
});

async function tenant(): Promise<string> {
  const id = newId();
  await control.asTenant(id, (tx) =>
    tx.query(`insert into tenants (id, slug, name) values ($1, $2, 'T')`, [id, `t-${id}`]),
  );
  return id;
}

/** From now on PostgreSQL refuses rows for which this holds, with this state. */
async function refuseWhere(condition: string, state = '22P05'): Promise<void> {
  await owner.query(`create or replace function refuse() returns trigger language plpgsql as $$
    begin if ${condition} then raise exception 'refused' using errcode = '${state}'; end if; return new; end $$`);
  await owner.query(`create trigger refuse before insert on audit_records for each row execute function refuse()`);
}

/** Ships a call's record; resolves when it has arrived. */
function ship(tenantId: string, details: object = {}): Promise<string> {
  const id = newId();
  const whole = { method: 'tools/call', era: 'modern', ...details };
  const entry = {
    id,
    event: 'call.completed',
    actor: { kind: 'anonymous' },
    target: 't',
    outcome: 'ok',
    details: whole,
  };
  return new Promise((resolve) => {
    const arrived = (): void => resolve(id);
    shipper.add({ tenantId, entry: entry as AuditEntry, arrived }); // details of the catalogue's
  });
}

function stored(tenantId: string): Promise<Array<{ id: string; outcome: string; details: Record<string, unknown> }>> {
  return control.asTenant(tenantId, (tx) => tx.query('select id, outcome, details from audit_records order by id'));
}

test('while one tenant’s records are refused, another’s arrive and nothing of it fails', async () => {
  const [refused, sound] = [await tenant(), await tenant()];
  await refuseWhere(`new.tenant_id = '${refused}'`);
  const waiting = [ship(refused), ship(refused)];
  await until(async () => shipper.failing(refused), 'the refusal');
  const arrived = await ship(sound);
  expect((await stored(sound)).map(({ id }) => id)).toEqual([arrived]);
  expect([shipper.failing(refused), shipper.failing(sound), shipper.waiting]).toEqual([true, false, 2]);
  expect(shipper.oldestMs).toBeGreaterThan(0);
  await owner.query(`drop trigger refuse on audit_records`);
  await shipper.flush();
  expect((await stored(refused)).map(({ id }) => id)).toEqual(await Promise.all(waiting));
  expect([shipper.waiting, shipper.oldestMs]).toEqual([0, 0]);
});

test('of a batch with a record that is refused for what it holds the others arrive whole, and it without its details', async () => {
  const tenantId = await tenant();
  await refuseWhere(`new.details ? 'arguments'`);
  const ids = await Promise.all(
    [{}, { name: 'é' }, { name: 'schön', bytes_in: 7, arguments: { poison: true } }, {}, {}].map((details) =>
      ship(tenantId, details),
    ),
  );
  const records = await stored(tenantId);
  expect(records.map(({ id }) => id)).toEqual(ids);
  expect(records.map(({ details }) => details['details_lost'] ?? false)).toEqual([false, false, true, false, false]);
  expect(records[1]?.details['name']).toBe('é');
  expect(records[2]?.details).toEqual({
    method: 'tools/call',
    era: 'modern',
    name: 'sch?n',
    bytes_in: 7,
    details_lost: true,
  });
  expect(() => AUDIT_EVENTS['call.completed'].details.parse(records[2]?.details)).not.toThrow();
  expect(shipper.failing(tenantId)).toBe(false);
});

test('while the database is away it is so for every tenant', async () => {
  const [first, second] = [await tenant(), await tenant()];
  await refuseWhere('true', '57P03');
  void ship(first);
  await until(async () => shipper.failing(second), 'the failure');
});

test('a tenant that is moved to another database keeps no other one waiting, and none of its own records is lost', async () => {
  const [moved, other] = [await tenant(), await tenant()];
  await owner.query(`insert into tenant_homes (tenant_id, database, state) values ($1, 'own', 'leaving')`, [moved]);
  const waiting = ship(moved);
  await until(() => shipper.failing(moved), 'the tenant to be turned away');
  await ship(other);
  expect([shipper.failing(moved), shipper.failing(other), shipper.waiting]).toEqual([true, false, 1]);
  await owner.query(`delete from tenant_homes where tenant_id = $1`, [moved]);
  const id = await waiting;
  const { rows } = await owner.query(`select id from audit_records where tenant_id = $1`, [moved]);
  expect(rows).toEqual([{ id }]);
});
