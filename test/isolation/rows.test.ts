import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Database, newId, type DatabaseRole } from '#libs/database';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';
import { A as a, ACCOUNT as account } from './row-ids.fixture.js';
import { ROWS } from './tenant-rows.fixture.js';

/**
 * For every tenant table that PostgreSQL knows: one row of tenant A, then tenant B tries to read, change, delete and
 * forge it through every role that has a grant. New tables are tried without anybody remembering to.
 */
let database: TestDatabase;
let owner: Client;
let tables: string[];
const doors = new Map<DatabaseRole, Database>();
const ROLES = [
  'wharf_auth',
  'wharf_control',
  'wharf_gateway',
  'wharf_background',
  'wharf_life_cycle',
  'wharf_mover',
] as const satisfies readonly DatabaseRole[];

const b = newId();

beforeAll(async () => {
  database = await testDatabase();
  owner = new Client({ connectionString: database.databaseUrl });
  await owner.connect();
  const { rows } = await owner.query<{ name: string }>(
    `select relname as name from pg_class where relkind in ('r', 'p') and not relispartition
       and relnamespace = 'public'::regnamespace and relrowsecurity`,
  );
  tables = rows.map((row) => row.name);
  await owner.query(`insert into accounts (id, email, password_hash) values ($1, 'a@example.com', 'x')`, [account]);
  await owner.query(`set session_replication_role = replica`); // no triggers: what they would write is in ROWS
  for (const [table, row] of Object.entries(ROWS)) await insert(table, row);
  await owner.query(`reset session_replication_role`);
  await owner.query(`insert into tenants (id, slug, name) values ($1, 'tenant-b', 'b')`, [b]);
  for (const role of ROLES) doors.set(role, await Database.connect({ ...database, role, poolSize: 2 }));
});
afterAll(async () => {
  for (const door of doors.values()) await door.close();
  await owner?.end();
  await database?.drop();
});

async function insert(table: string, row: Record<string, unknown>): Promise<void> {
  const columns = Object.keys(row);
  await owner.query(
    `insert into ${table} (${columns.join(', ')}) values (${columns.map((_, index) => `$${index + 1}`).join(', ')})`,
    Object.values(row),
  );
}

async function canaries(table: string): Promise<string> {
  const column = table === 'tenants' ? 'id' : 'tenant_id';
  const { rows } = await owner.query(
    `select md5(string_agg(t::text, '|' order by t::text)) as sum from ${table} t where ${column} = $1`,
    [a],
  );
  return (rows[0] as { sum: string }).sum;
}

/** Rows that a role's policies let it read across tenants on purpose; the catalogue test lists these with reasons. */
const READS_ALL = new Set([
  'wharf_gateway tenants',
  'wharf_auth tenants',
  'wharf_auth grants',
  'wharf_auth connect_steps',
  'wharf_background outbox',
]);
/** The same, in transactions without a tenant only. */
const READS_ALL_WITHOUT_TENANT = new Set([
  'wharf_background approvals',
  ...READS_ALL,
  'wharf_control registry_entries',
  'wharf_background audit_records',
  'wharf_background audit_trees',
  'wharf_background data_keys',
  'wharf_background person_keys',
  'wharf_background webhook_deliveries',
  'wharf_background call_rollups',
  'wharf_background drift_watches',
  'wharf_background drift_candidates',
  'wharf_background unused_objects',
  'wharf_background usage_hours',
  'wharf_background probes',
  'wharf_background probe_results',
  'wharf_background idempotency_keys',
  'wharf_gateway tasks',
  'wharf_background legal_holds',
  'wharf_background tenants',
  'wharf_background tenant_exports',
  'wharf_life_cycle tenant_deletions',
]);
const WRITES_ALL = new Set(['wharf_background outbox']);

test('has a row to try for every tenant table', () => {
  expect(Object.keys(ROWS).sort()).toEqual([...tables].sort());
});

describe.each(Object.keys(ROWS))('%s', (table) => {
  const column = table === 'tenants' ? 'id' : 'tenant_id';

  test.each(ROLES)('shows nothing of A to B through %s', async (role) => {
    const seen = await doors
      .get(role)
      ?.asTenant(b, (tx) => tx.query(`select ${column} from ${table} where ${column} = $1`, [a]) as Promise<unknown[]>)
      .catch((error: Error) => (/permission denied/.test(error.message) ? [] : Promise.reject(error)));
    expect(seen).toHaveLength(READS_ALL.has(`${role} ${table}`) ? 1 : 0);
  });

  test.each(ROLES)('shows nothing without a tenant through %s', async (role) => {
    const seen = await doors
      .get(role)
      ?.asService((tx) => tx.query(`select ${column} from ${table}`) as Promise<unknown[]>)
      .catch((error: Error) => (/permission denied/.test(error.message) ? [] : Promise.reject(error)));
    expect((seen?.length ?? 0) > 0).toBe(READS_ALL_WITHOUT_TENANT.has(`${role} ${table}`));
  });

  test.each(ROLES)('lets B change, delete and forge nothing of A through %s', async (role) => {
    const before = await canaries(table);
    const row = ROWS[table] ?? {};
    const columns = Object.keys(row);
    const forge = `insert into ${table} (${columns.join(', ')}) values (${columns.map((_, index) => `$${index + 1}`).join(', ')})`;
    const attempts: Array<[string, unknown[]]> = [
      [`update ${table} set ${column} = $1 where ${column} = $2`, [b, a]],
      [`delete from ${table} where ${column} = $1`, [a]],
      [forge, Object.values(row)],
    ];
    for (const [sql, parameters] of WRITES_ALL.has(`${role} ${table}`) ? [] : attempts) {
      await doors
        .get(role)
        ?.asTenant(b, (tx) => tx.query(sql, parameters))
        .catch(() => undefined);
    }
    expect(await canaries(table)).toBe(before);
  });
});
