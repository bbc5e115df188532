import type { MigrationInterface, QueryRunner } from 'typeorm';
import { DATABASE_ROLES } from '#libs/database';
import { stampSharedTable } from './support/tenant-table.js';

/** Assignments and one query: a nested call or a `perform` more would double what it costs to enter. */
const STAY_HOME = `
  done := pg_catalog.pg_advisory_xact_lock_shared(pg_catalog.hashtextextended(tenant::text, 0));
  select coalesce(h.database = i.database and h.state = 'dedicated', i.database is null and h.tenant_id is null) into is_home
    from public.installation i left join public.tenant_homes h on h.tenant_id = tenant;
  if is_home is not true then
    raise exception 'the tenant is not at home in this database' using errcode = 'WH001';
  end if;
`;

/**
 * Which database a tenant's rows are in, which schema a database has (`installation.migrated_to`), and the door that keeps its rows there. A database is the common one unless
 * `installation.database` says what it is called.
 *
 * `app_stay_home` refuses (WH001) a tenant that is not at home here, and keeps it here to the transaction's end by a lock
 * that many share: who moves a tenant away writes `leaving`, then takes the same lock alone once, and by then no
 * transaction is left that entered before. It looks once it has the lock, in a statement of its own, so that it sees
 * what was committed by then. `app_enter_tenant` does so and makes the transaction the tenant's. `app_is_home` keeps
 * nothing: it is for sweeps that leave a tenant on its way for later.
 */
export class TenantHomes1763950000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table installation add column database text check (database ~ '^[a-z0-9-]{1,40}$');
      alter table installation add column migrated_to text;
      create table tenant_homes (
        tenant_id uuid primary key,
        database text not null check (database ~ '^[a-z0-9-]{1,40}$'),
        state text not null check (state in ('leaving', 'dedicated', 'returning')),
        changed_at timestamptz not null default now()
      );
      create trigger tenant_homes_changed after insert or update or delete on tenant_homes
        for each row execute function notify_tenant_change('tenant_id');
      create function app_is_home(tenant uuid) returns boolean language sql stable as $$
        select coalesce(h.database = i.database and h.state = 'dedicated', i.database is null and h.tenant_id is null)
        from public.installation i left join public.tenant_homes h on h.tenant_id = tenant
      $$;
      create function app_stay_home(tenant uuid) returns void language plpgsql as $$
      declare done text; is_home boolean;
      begin ${STAY_HOME} end $$;
      create function app_enter_tenant(tenant uuid, statement_timeout text default null) returns void language plpgsql as $$
      declare done text; is_home boolean;
      begin ${STAY_HOME}
        done := pg_catalog.set_config('app.tenant_id', tenant::text, true);
        if statement_timeout is not null then
          done := pg_catalog.set_config('statement_timeout', statement_timeout, true);
        end if;
      end $$`);
    await stampSharedTable(
      runner,
      'tenant_homes',
      'every service must know in which database a tenant is at home',
      Object.fromEntries(DATABASE_ROLES.map((role) => [role, 'select'])),
    );
    for (const role of DATABASE_ROLES) await runner.query(`grant select on installation to ${role}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`revoke select on installation from wharf_life_cycle, wharf_mover;
      drop function app_enter_tenant; drop function app_is_home; drop function app_stay_home; drop table tenant_homes;
      alter table installation drop column database; alter table installation drop column migrated_to`);
  }
}
