import type { Client } from 'pg';

/** Everything that makes a schema, as PostgreSQL's own catalogue says it, one line each. */
const SCHEMA = `
with t as (select c.oid, c.relname as name, c.relacl, c.relrowsecurity, c.relforcerowsecurity from pg_class c
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition and c.relname <> 'migrations')
select 'table ' || name || ' rls ' || relrowsecurity::text || relforcerowsecurity::text || ' is ' || coalesce(obj_description(oid, 'pg_class'), '-') as line from t
union all select 'column ' || t.name || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull::text
    || ' ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '-') || a.attgenerated::text || a.attidentity::text
  from t join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
  left join pg_attrdef d on d.adrelid = t.oid and d.adnum = a.attnum
union all select 'constraint ' || t.name || '.' || k.conname || ' ' || pg_get_constraintdef(k.oid)
  from t join pg_constraint k on k.conrelid = t.oid
union all select 'index ' || pg_get_indexdef(i.indexrelid) from t join pg_index i on i.indrelid = t.oid
union all select 'trigger ' || pg_get_triggerdef(g.oid) from t join pg_trigger g on g.tgrelid = t.oid and not g.tgisinternal
union all select 'policy ' || t.name || '.' || p.polname || ' ' || p.polcmd::text || p.polpermissive::text || ' '
    || (select string_agg(role, ',' order by role) from (select coalesce(r.rolname, 'public') as role from unnest(p.polroles) u left join pg_roles r on r.oid = u) roles)
    || ' ' || coalesce(pg_get_expr(p.polqual, p.polrelid), '-') || ' ' || coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '-')
    || ' is ' || coalesce(obj_description(p.oid, 'pg_policy'), '-')
  from t join pg_policy p on p.polrelid = t.oid
union all select 'function ' || pg_get_functiondef(f.oid) || coalesce(obj_description(f.oid, 'pg_proc'), '-') || coalesce(f.proacl::text, '-')
  from pg_proc f where f.pronamespace = 'public'::regnamespace and f.prokind = 'f'
    and not exists (select from pg_depend d where d.objid = f.oid and d.deptype = 'e')
union all select 'grant ' || t.name || ' ' || x.privilege_type || ' to ' || coalesce(r.rolname, 'public')
  from t cross join aclexplode(t.relacl) x left join pg_roles r on r.oid = x.grantee
union all select 'grant ' || t.name || '.' || a.attname || ' ' || x.privilege_type || ' to ' || coalesce(r.rolname, 'public')
  from t join pg_attribute a on a.attrelid = t.oid and not a.attisdropped cross join aclexplode(a.attacl) x left join pg_roles r on r.oid = x.grantee
union all select 'grant schema ' || x.privilege_type || ' to ' || coalesce(r.rolname, 'public')
  from pg_namespace n cross join aclexplode(n.nspacl) x left join pg_roles r on r.oid = x.grantee where n.nspname = 'public'`;

/** A database's schema in lines: tables, columns, constraints, indexes, triggers, policies, functions and grants. */
export async function schemaOf(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ line: string }>(SCHEMA);
  return rows.map(({ line }) => line).toSorted();
}
