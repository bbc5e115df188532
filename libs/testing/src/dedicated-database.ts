import { Secret } from '#libs/config';
import type { DedicatedOptions } from '#libs/database';
import { Client } from 'pg';
import { testDatabase, type TestDatabase } from './test-database.js';

/** A common database and a tenants' own one beside it. */
export interface TestHomes {
  readonly common: TestDatabase;
  readonly own: TestDatabase;
  /** What services of the common database are told. */
  readonly dedicated: DedicatedOptions;
  /** Gives a tenant that is at home in the common database its home in the other one, with all its rows. */
  settle(tenantId: string): Promise<void>;
  drop(): Promise<void>;
}

const NAME = 'own';
const TENANT_TABLES = `select c.oid::regclass::text as name, case c.relname when 'tenants' then 'id' else 'tenant_id' end as key
  from pg_class c where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = 'public'::regnamespace and c.relrowsecurity
  order by c.relname <> 'tenants', 1`;

async function copyRows(from: Client, to: Client, table: string, where: string, tenantId: string): Promise<void> {
  const { rows } = await from.query<{ row: object }>(`select to_jsonb(t) as row from ${table} t where ${where}`, [
    tenantId,
  ]);
  const { rows: columns } = await to.query<{ name: string }>(
    `select quote_ident(attname) as name from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''`,
    [table],
  );
  const names = columns.map(({ name }) => name).join(', ');
  for (const { row } of rows) {
    await to.query(
      `insert into ${table} (${names}) overriding system value
       select ${names} from jsonb_populate_record(null::${table}, $1::jsonb) r
       where not exists (select from ${table} t where to_jsonb(t) = to_jsonb(r))`,
      [JSON.stringify(row)],
    );
  }
}

async function settle(from: Client, to: Client, tenantId: string): Promise<void> {
  const { rows: tables } = await from.query<{ name: string; key: string }>(TENANT_TABLES);
  const home = `insert into tenant_homes (tenant_id, database, state) values ($1, '${NAME}', $2)
    on conflict (tenant_id) do update set state = excluded.state`;
  await from.query(home, [tenantId, 'leaving']);
  for (const client of [from, to]) await client.query(`set session_replication_role = replica`);
  await copyRows(
    from,
    to,
    'accounts',
    `exists (select from members m where m.tenant_id = $1 and m.account_id = t.id)`,
    tenantId,
  );
  for (const { name, key } of tables) await copyRows(from, to, name, `t.${key} = $1`, tenantId);
  for (const { name, key } of tables) {
    if (name !== 'tenants') await from.query(`delete from ${name} where ${key} = $1`, [tenantId]);
  }
  for (const client of [from, to]) await client.query(`set session_replication_role = origin`);
  await to.query(home, [tenantId, 'dedicated']);
  await from.query(home, [tenantId, 'dedicated']);
}

/**
 * Gives a tenant that is at home in the common database its home in a dedicated one that is called `own`, with all its
 * rows: no service may work for it meanwhile.
 */
export async function settleTenant(commonUrl: string, ownUrl: string, tenantId: string): Promise<void> {
  const clients = [commonUrl, ownUrl].map((url) => new Client({ connectionString: url }));
  const [from, to] = clients;
  if (from === undefined || to === undefined) throw new Error('there are two databases');
  try {
    await Promise.all(clients.map((client) => client.connect()));
    await settle(from, to, tenantId);
  } finally {
    await Promise.all(clients.map((client) => client.end()));
  }
}

/** Two migrated databases, the second one known as a dedicated one. */
export async function testHomes(): Promise<TestHomes> {
  const [common, own] = await Promise.all([testDatabase(), testDatabase()]);
  const owner = new Client({ connectionString: own.databaseUrl });
  await owner.connect();
  await owner.query(`update installation set database = $1`, [NAME]);
  await owner.end();
  return {
    common,
    own,
    dedicated: { databases: new Map([[NAME, new Secret(own.databaseUrl)]]), poolsMax: 2 },
    settle: (tenantId) => settleTenant(common.databaseUrl, own.databaseUrl, tenantId),
    drop: async () => void (await Promise.all([common.drop(), own.drop()])),
  };
}
