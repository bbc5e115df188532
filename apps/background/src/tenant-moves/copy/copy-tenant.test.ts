import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';
import { copyTenant, digestTenant } from './copy-tenant.js';
import { enterTenant, withSession } from './session.js';
import { A as a, ACCOUNT as account } from '../../../../../test/isolation/row-ids.fixture.js';
import { ROWS } from '../../../../../test/isolation/tenant-rows.fixture.js';

let here: TestDatabase;
let there: TestDatabase;
let owner: Client;

beforeAll(async () => {
  [here, there] = await Promise.all([testDatabase(), testDatabase()]);
  owner = new Client({ connectionString: here.databaseUrl });
  await owner.connect();
  await owner.query(`insert into accounts (id, email, password_hash) values ($1, 'a@example.com', 'x')`, [account]);
  await owner.query(`set session_replication_role = replica`);
  for (const [table, row] of Object.entries(ROWS)) {
    const columns = Object.keys(row);
    const places = columns.map((_, index) => `$${index + 1}`).join(', ');
    await owner.query(`insert into ${table} (${columns.join(', ')}) values (${places})`, Object.values(row));
  }
  await owner.query(`insert into tenant_homes (tenant_id, database, state) values ($1, 'own', 'leaving')`, [a]);
  await asOwnerOf(there, `update installation set database = 'own'`);
});

async function asOwnerOf({ databaseUrl }: TestDatabase, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  return client
    .query(sql)
    .then(({ rows }) => rows)
    .finally(() => client.end());
}

afterAll(async () => {
  await owner?.end();
  await Promise.all([here?.drop(), there?.drop()]);
});

test('a tenant’s rows of every table are the same, byte by byte, where they were copied to', async () => {
  const signal = AbortSignal.timeout(60_000);
  const at = (store: TestDatabase) => ({ ...store, statementMs: 60_000, signal });
  await withSession(at(here), (source) =>
    withSession(at(there), async (target) => {
      await source.query('begin transaction isolation level repeatable read read only');
      await enterTenant(source, a);
      await target.query('begin');
      await enterTenant(target, a);
      const { tables: copied } = await copyTenant({ source, target, tenantId: a, signal });
      expect(copied.map(({ name }) => name).sort()).toEqual(
        Object.keys(ROWS)
          .filter((name) => name !== 'tenants')
          .sort(),
      );
      expect(copied.filter(({ rows }) => rows !== 1)).toEqual([]);
      expect(await digestTenant(target, a, signal)).toEqual(copied);
      await target.query('commit');
    }),
  );
});
