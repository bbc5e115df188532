import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DATABASE_ROLES } from '#libs/database';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';

/**
 * Reads PostgreSQL's own catalogue: what must hold for every table holds for tables nobody has written yet.
 * A table is shared only where its comment says `shared: {reason}`.
 */
let database: TestDatabase;
let client: Client;

beforeAll(async () => {
  database = await testDatabase();
  client = new Client({ connectionString: database.databaseUrl });
  await client.connect();
});
afterAll(async () => {
  await client?.end();
  await database?.drop();
});

async function names(sql: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(sql);
  return rows.map((row) => row.name);
}

const TABLES = `select c.relname as name, c.* from pg_class c where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace
  and c.relname not in ('migrations') and not c.relispartition`;
const SHARED = `obj_description(t.oid, 'pg_class') like 'shared: %'`;
const TENANT_COLUMN = `case when t.name = 'tenants' then 'id' else 'tenant_id' end`;

describe('every table', () => {
  test('has a tenant column or says why it is shared', async () => {
    const missing = await names(`select t.name from (${TABLES}) t where not coalesce(${SHARED}, false)
      and not exists (select from pg_attribute a where a.attrelid = t.oid and a.attname = ${TENANT_COLUMN} and a.attnotnull)`);
    expect(missing).toEqual([]);
  });

  test('with a tenant column forces row-level security', async () => {
    const open = await names(`select t.name from (${TABLES}) t where not coalesce(${SHARED}, false)
      and not (t.relrowsecurity and t.relforcerowsecurity)`);
    expect(open).toEqual([]);
  });

  test('with a tenant column has a policy for reading and writing that compares it', async () => {
    const open = await names(`select t.name from (${TABLES}) t where not coalesce(${SHARED}, false)
      and not exists (select from pg_policy p where p.polrelid = t.oid and p.polcmd = '*' and p.polroles = '{0}'
        and pg_get_expr(p.polqual, p.polrelid) like '%' || ${TENANT_COLUMN} || ' = %app.tenant_id%'
        and pg_get_expr(p.polwithcheck, p.polrelid) like '%' || ${TENANT_COLUMN} || ' = %app.tenant_id%')`);
    expect(open).toEqual([]);
  });

  test('with a tenant column is closed to who moves tenants, but for a tenant that is not at home here', async () => {
    const open = await names(`select t.name from (${TABLES}) t where not coalesce(${SHARED}, false)
      and not exists (select from pg_policy p where p.polrelid = t.oid and p.polcmd = '*' and not p.polpermissive
        and p.polroles = array['wharf_mover'::regrole::oid]
        and pg_get_expr(p.polqual, p.polrelid) like '%' || ${TENANT_COLUMN} || ' = %tenant_in_motion()%'
        and pg_get_expr(p.polwithcheck, p.polrelid) like '%' || ${TENANT_COLUMN} || ' = %tenant_in_motion()%')`);
    expect(open).toEqual([]);
  });

  test('with a tenant column has no trigger that meets rows which are only moved', async () => {
    const meeting = await names(`select g.tgname || ' on ' || t.name as name from (${TABLES}) t
      join pg_trigger g on g.tgrelid = t.oid and not g.tgisinternal and (g.tgtype & 28) <> 0
      where not coalesce(${SHARED}, false) and pg_get_triggerdef(g.oid) not like '%wharf_mover%'`);
    expect(meeting).toEqual([]);
  });

  test('with a tenant column starts each unique index with it, or is named as an exception', async () => {
    const wrong = await names(`select i.relname as name from (${TABLES}) t
      join pg_index x on x.indrelid = t.oid and x.indisunique join pg_class i on i.oid = x.indexrelid
      join pg_attribute a on a.attrelid = t.oid and a.attnum = x.indkey[0]
      where not coalesce(${SHARED}, false) and a.attname <> ${TENANT_COLUMN} order by 1`);
    // A slug is unique among all tenants because it names the tenant in URLs.
    expect(wrong).toEqual(['tenants_slug_key']);
  });

  test('with a tenant column refers to other tenant tables by tenant too', async () => {
    const wrong = await names(`select k.conname as name from pg_constraint k join (${TABLES}) t on t.oid = k.conrelid
      join pg_class r on r.oid = k.confrelid
      join pg_attribute a on a.attrelid = k.confrelid and a.attname = 'tenant_id'
      join pg_attribute own on own.attrelid = k.conrelid and own.attnum = k.conkey[1]
      where k.contype = 'f' and own.attname <> 'tenant_id'`);
    expect(wrong).toEqual([]);
  });
});

describe('a partition', () => {
  test('is reached through its table alone', async () => {
    const open =
      await names(`select c.relname as name from pg_class c cross join unnest(array[${DATABASE_ROLES.map((role) => `'${role}'`).join()}]) role
      where c.relispartition and c.relkind = 'r' and has_table_privilege(role, c.oid, 'select, insert, update, delete, truncate')`);
    expect(open).toEqual([]);
  });
});

describe('the services’ roles', () => {
  test('own nothing, bypass nothing and inherit nothing', async () => {
    const { rows } = await client.query(
      `select rolname, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole,
         exists (select from pg_auth_members m where m.member = r.oid) as inherits,
         exists (select from pg_class c where c.relowner = r.oid) as owns
       from pg_roles r where rolname = any($1) order by 1`,
      [DATABASE_ROLES],
    );
    const harmless = {
      rolsuper: false,
      rolbypassrls: false,
      rolcreatedb: false,
      rolcreaterole: false,
      inherits: false,
      owns: false,
    };
    expect(rows).toEqual([...DATABASE_ROLES].sort().map((rolname) => ({ rolname, ...harmless })));
  });

  test('cannot create anything in the schema', async () => {
    const { rows } = await client.query(
      `select role from unnest($1::text[]) role where has_schema_privilege(role, 'public', 'create')`,
      [DATABASE_ROLES],
    );
    expect(rows).toEqual([]);
  });

  test('hold no more on people and signing keys than they use', async () => {
    const { rows } = await client.query<{ held: string }>(
      `select grantee || ' ' || lower(privilege_type) || ' ' || table_name as held
       from information_schema.role_table_grants
       where table_name in ('accounts', 'signing_keys') and grantee = any($1) order by 1`,
      [DATABASE_ROLES],
    );
    expect(rows.map((row) => row.held)).toEqual([
      // Ended keys are deleted a day later.
      'wharf_auth delete signing_keys',
      'wharf_auth insert signing_keys',
      'wharf_auth select accounts',
      'wharf_auth select signing_keys',
      'wharf_control insert accounts',
      'wharf_control select accounts',
      // People of a tenant alone, with that tenant; a trigger keeps all others.
      'wharf_life_cycle delete accounts',
      // People go along with a tenant into a database of its own, without their passwords; a trigger keeps the common one's.
      'wharf_mover delete accounts',
    ]);
  });

  test('cannot read a private signing key, but for the authorization server', async () => {
    const { rows } = await client.query<{ role: string }>(
      `select role from unnest($1::text[]) as role where has_column_privilege(role, 'signing_keys', 'private_jwk', 'select')`,
      [DATABASE_ROLES],
    );
    expect(rows).toEqual([{ role: 'wharf_auth' }]);
  });

  test('read the hash of a password or of an operator’s key where they compare it, and nowhere else', async () => {
    const { rows } = await client.query<{ held: string }>(
      `select role || ' ' || what.name as held from unnest($1::text[]) as role,
         (values ('accounts', 'password_hash'), ('operators', 'key_hash')) as what (name, hash)
       where has_column_privilege(role, what.name, what.hash, 'select') order by 1`,
      [DATABASE_ROLES],
    );
    expect(rows.map((row) => row.held)).toMatchInlineSnapshot(`
[
  "wharf_auth accounts",
  "wharf_control accounts",
  "wharf_operator operators",
]
`);
  });

  test('cross tenants only where a policy says why', async () => {
    const { rows } = await client.query<{ crossing: string; reason: string | null }>(
      `select r.rolname || ' ' || p.polcmd::text || ' ' || c.relname as crossing, obj_description(p.oid, 'pg_policy') as reason
       from pg_policy p join pg_class c on c.oid = p.polrelid join pg_roles r on r.oid = any(p.polroles)
       where p.polpermissive order by 1`,
    );
    expect(rows.filter((row) => row.reason === null)).toEqual([]);
    expect(rows.map((row) => row.crossing)).toMatchSnapshot();
  });
});

describe('who changes or deletes rows across tenants', () => {
  test('leaves those of a tenant alone that is on its way between two databases', async () => {
    const { rows } = await client.query<{ crossing: string }>(
      `select r.rolname || ' ' || p.polcmd::text || ' ' || c.relname as crossing
       from pg_policy p join pg_class c on c.oid = p.polrelid
       left join pg_roles r on r.oid = any(p.polroles)
       where p.polpermissive and p.polcmd in ('w', 'd', '*')
         and not (pg_get_expr(p.polqual, p.polrelid) ~ '(^app_is_home\\(tenant_id\\)|AND app_is_home\\(tenant_id\\)\\))$'
          and pg_get_expr(p.polqual, p.polrelid) !~ ' OR '
          and coalesce(p.polcmd = 'd' or pg_get_expr(p.polwithcheck, p.polrelid) = pg_get_expr(p.polqual, p.polrelid), true))
         and pg_get_expr(p.polqual, p.polrelid) not like '%(' || case c.relname when 'tenants' then 'id' else 'tenant_id' end || ' = %app.tenant_id%'
       order by 1`,
    );
    // The row itself is in both databases, and not among what is compared: the one at home is copied over the other.
    expect(rows.map((row) => row.crossing)).toEqual(['wharf_operator w tenants']);
  });
});

describe('functions and views', () => {
  test('none runs with its owner’s rights', async () => {
    const definers = await names(
      `select proname as name from pg_proc where prosecdef and pronamespace = 'public'::regnamespace`,
    );
    const views = await names(
      `select relname as name from pg_class where relkind in ('v', 'm') and relnamespace = 'public'::regnamespace`,
    );
    expect({ definers, views }).toEqual({ definers: [], views: [] });
  });
});
