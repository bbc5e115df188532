import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { Database, isTimeout, listenForChanges, newId } from '#libs/database';
import { testDatabase, type TestDatabase } from '#libs/testing';

let store: TestDatabase;
let control: Database;
let operators: Database;

beforeAll(async () => {
  store = await testDatabase();
  control = await Database.connect({ ...store, role: 'wharf_control' });
  operators = await Database.connect({ ...store, role: 'wharf_operator' });
});

afterAll(async () => {
  await control.close();
  await operators.close();
  await store.drop();
});

async function newTenant(): Promise<string> {
  const id = newId();
  await control.asTenant(id, (tx) =>
    tx.query(`insert into tenants (id, slug, name) values ($1, $2, 'T')`, [id, `t-${id}`]),
  );
  return id;
}

test('a tenant sees its own row and no other', async () => {
  const [mine] = [await newTenant(), await newTenant()];
  const rows: Array<{ id: string }> = await control.asTenant(mine, (tx) => tx.query('select id from tenants'));
  expect(rows.map((row) => row.id)).toEqual([mine]);
});

test('without a tenant nothing is visible', async () => {
  await newTenant();
  expect(await control.asService((tx) => tx.query('select id from tenants'))).toEqual([]);
});

test('the tenant of one transaction is not the tenant of the next on the same connection', async () => {
  const mine = await newTenant();
  await Promise.all(Array.from({ length: 12 }, () => control.asTenant(mine, (tx) => tx.query('select 1'))));
  const left = await Promise.all(
    Array.from({ length: 12 }, () => control.asService((tx) => tx.query('select id from tenants'))),
  );
  expect(left.flat()).toEqual([]);
});

test('a row of another tenant cannot be written', async () => {
  const [mine, other] = [await newTenant(), await newTenant()];
  const write = control.asTenant(mine, (tx) =>
    tx.query(`insert into servers (tenant_id, id, slug, name) values ($1, $2, 'stolen', 'S')`, [other, newId()]),
  );
  await expect(write).rejects.toThrow(/row-level security/);
});

test('work that throws leaves nothing behind', async () => {
  const mine = await newTenant();
  const work = control.asTenant(mine, async (tx) => {
    await tx.query(`update tenants set name = 'changed'`);
    throw new Error('second thoughts');
  });
  await expect(work).rejects.toThrow('second thoughts');
  expect(await control.asTenant(mine, (tx) => tx.query('select name from tenants'))).toEqual([{ name: 'T' }]);
});

test('an operator’s act is written with the work and what came of it, or not at all', async () => {
  const operatorId = newId();
  await operators.asService((tx) =>
    tx.query(`insert into operators (id, name, key_hash) values ($1, 'o', $2)`, [operatorId, newId()]),
  );
  const act = { operatorId, action: 'tenants.list', reason: 'a test' };
  await operators.asOperator(act, (tx) => tx.query('select 1'));
  await operators.asOperator(act, () => Promise.reject(new Error('no'))).catch(() => undefined);
  await operators.asOperator({ ...act, action: 'plans.put', details: { name: 'free' } }, async (_, note) => {
    note.tell({ calls: 3 });
    note.unchanged();
  });
  const rows = await operators.asService((tx) =>
    tx.query('select action, reason, details from operator_actions where operator_id = $1 order by at', [operatorId]),
  );
  expect(rows).toEqual([
    { action: 'tenants.list', reason: 'a test', details: { outcome: 'done' } },
    { action: 'plans.put', reason: 'a test', details: { name: 'free', calls: 3, outcome: 'unchanged' } },
  ]);
});

test('a committed change of a tenant’s routes is heard with the tenant’s id', async () => {
  const mine = await newTenant();
  const heard = new Promise<void>((resolve) => {
    void listenForChanges({
      ...store,
      role: 'wharf_gateway',
      onChange: (tenantId) => tenantId === mine && resolve(),
    }).then(async (listener) => {
      await control.asTenant(mine, (tx) =>
        tx.query(`insert into servers (tenant_id, id, slug, name) values ($1, $2, 'orders', 'S')`, [mine, newId()]),
      );
      await heard;
      await listener.close();
    });
  });
  await heard;
});

test('audit records can be added but not changed', async () => {
  const mine = await newTenant();
  await control.asTenant(mine, (tx) =>
    tx.query(
      `insert into audit_records (tenant_id, id, at, event, actor, target, outcome) values ($1, $2, now(), 'e', '{}', 't', 'ok')`,
      [mine, newId()],
    ),
  );
  await expect(control.asTenant(mine, (tx) => tx.query(`update audit_records set outcome = 'x'`))).rejects.toThrow(
    /permission denied/,
  );
  await expect(control.asTenant(mine, (tx) => tx.query(`delete from audit_records`))).rejects.toThrow(
    /permission denied/,
  );
});

test('a connection that the server ends at any moment, also while a pool opens, is an error of its caller alone', async () => {
  const owner = new Client({ connectionString: store.databaseUrl });
  await owner.connect();
  const opening = new AbortController();
  const ending = (async () => {
    while (!opening.signal.aborted) {
      await owner.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and application_name = 'wharf_gateway'`,
      );
    }
  })();
  const opened = await Promise.allSettled(
    Array.from({ length: 60 }, () => Database.connect({ ...store, role: 'wharf_gateway', poolSize: 1 })),
  );
  opening.abort();
  await ending;
  await owner.end();
  for (const each of opened) if (each.status === 'fulfilled') await each.value.close();
  expect(opened.some(({ status }) => status === 'rejected')).toBe(true);
});

test('a statement that takes too long is given up, and is told from other failures', async () => {
  const impatient = await Database.connect({ ...store, role: 'wharf_control', poolSize: 1, statementTimeoutMs: 50 });
  const failure = (sql: string): Promise<unknown> =>
    impatient
      .asService((tx) => tx.query(sql))
      .then(
        () => undefined,
        (error: unknown) => error,
      );
  expect(isTimeout(await failure(`select count(*) from generate_series(1, 1000000000)`))).toBe(true);
  expect(isTimeout(await failure(`select 1 / 0`))).toBe(false);
  expect(await failure(`select 1`)).toBeUndefined();
  await impatient.close();
});
