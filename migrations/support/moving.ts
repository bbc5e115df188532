import type { DataSource } from 'typeorm';

/** The role that moves tenants between databases. */
const MOVER = 'wharf_mover';

/**
 * Provides every tenant table there is with what moving tenants needs, each time the schema is looked after:
 * the role reads, writes and deletes rows of a tenant that is not at home in this database, and of no other
 * (a restrictive policy), and triggers leave it alone: what they would write, tell or refuse was written, told and
 * refused where the rows come from.
 */
export async function letTenantsMove(source: Pick<DataSource, 'query'>): Promise<void> {
  await source.query(`do $$ begin
      if not has_database_privilege('${MOVER}', current_database(), 'temporary') then
        execute format('grant temporary on database %I to ${MOVER}', current_database());
      end if;
    end $$`);
  await source.query(ADMIT);
  await source.query(EXEMPT);
}

/** Takes that back, before the role can move no tenant any more: it has nothing then. */
export async function letTenantsStay(source: Pick<DataSource, 'query'>): Promise<void> {
  await source.query(DISMISS);
  await source.query(`revoke all on all tables in schema public from ${MOVER}`);
}

/** One table after the other: a transaction that held several would be in the way of calls, and they in its way. */
const ADMIT = `do $$
declare found record;
begin
  for found in
    select c.relname as name, case c.relname when 'tenants' then 'id' else 'tenant_id' end as tenant_column
    from pg_class c where c.relkind in ('r', 'p') and not c.relispartition and c.relrowsecurity
      and c.relnamespace = 'public'::regnamespace
      and not exists (select from pg_policy p where p.polrelid = c.oid and p.polname = c.relname || '_moving')
  loop
    execute format('grant select, insert, delete on %I to ${MOVER}', found.name);
    execute format('create policy %I on %I as restrictive to ${MOVER}
      using (%I = (select public.tenant_in_motion())) with check (%I = (select public.tenant_in_motion()))',
      found.name || '_moving', found.name, found.tenant_column, found.tenant_column);
    execute format('comment on policy %I on %I is %L', found.name || '_moving', found.name,
      'moves a tenant, and touches none that is at home here');
    commit;
  end loop;
end $$`;

/** Its condition comes before what a trigger asks anyway. Those of truncating stay: the role may not. */
const EXEMPT = `do $$
declare
  found record;
  statement text;
  clause text := 'WHEN (CURRENT_USER <> ''${MOVER}''::name';
begin
  for found in
    select t.oid, pg_get_triggerdef(t.oid) as definition from pg_trigger t join pg_class c on c.oid = t.tgrelid
    where not t.tgisinternal and t.tgparentid = 0 and c.relnamespace = 'public'::regnamespace
      and c.relrowsecurity and not c.relispartition
      and (t.tgtype & 28) <> 0 and pg_get_triggerdef(t.oid) not like '%${MOVER}%'
  loop
    statement := replace(found.definition, 'CREATE TRIGGER', 'CREATE OR REPLACE TRIGGER');
    if statement ~ ' WHEN \\(' then
      statement := replace(statement, ' WHEN (', ' ' || clause || ' AND ');
    else
      statement := replace(statement, ' EXECUTE FUNCTION ', ' ' || clause || ') EXECUTE FUNCTION ');
    end if;
    execute statement;
    commit;
  end loop;
end $$`;

/** PostgreSQL gives a condition back with parentheses of its own. */
const DISMISS = `do $$
declare
  found record;
  alone text := ' WHEN ((CURRENT_USER <> ''${MOVER}''::name))';
begin
  for found in
    select c.relname as name, p.polname from pg_policy p join pg_class c on c.oid = p.polrelid
    where p.polname = c.relname || '_moving'
  loop
    execute format('drop policy %I on %I', found.polname, found.name);
  end loop;
  for found in
    select pg_get_triggerdef(t.oid) as definition from pg_trigger t join pg_class c on c.oid = t.tgrelid
    where not t.tgisinternal and t.tgparentid = 0 and c.relnamespace = 'public'::regnamespace
      and c.relrowsecurity and not c.relispartition and pg_get_triggerdef(t.oid) like '%CURRENT_USER <> ''${MOVER}''%'
  loop
    execute replace(regexp_replace(replace(found.definition, alone, ''),
      ' WHEN \\(\\(\\(CURRENT_USER <> ''${MOVER}''::name\\) AND (.*)\\)\\) EXECUTE ', ' WHEN (\\1) EXECUTE '),
      'CREATE TRIGGER', 'CREATE OR REPLACE TRIGGER');
  end loop;
end $$`;
