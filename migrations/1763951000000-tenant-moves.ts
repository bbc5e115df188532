import type { MigrationInterface, QueryRunner } from 'typeorm';
import { letTenantsStay } from './support/moving.js';
import { stampSharedTable } from './support/tenant-table.js';

/** Moves of tenants between databases, and what the role that makes them may touch. */
export class TenantMoves1763951000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      grant usage on schema public to wharf_mover;
      grant select on migrations to wharf_mover, wharf_operator;
      grant insert, update, delete on tenant_homes to wharf_mover;
      -- What tenants' rows refer to goes along, and of what is no longer referred to, nothing stays.
      grant select, insert, update on plans, operators to wharf_mover;
      grant select, insert, update, delete on accounts to wharf_mover;
      grant update on tenants to wharf_mover;
      grant update (live_release_id, previous_release_id) on servers to wharf_mover;
      grant insert on operator_actions to wharf_mover;
      create function tenant_in_motion() returns uuid language plpgsql stable set search_path = pg_catalog as $$
      declare tenant uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
      begin
        if (case
          when (select i.database from public.installation i) is null
            then exists (select from public.tenant_homes h where h.tenant_id = tenant)
          else not exists (select from public.tenant_homes h join public.installation i on i.database = h.database
            where h.tenant_id = tenant and h.state = 'dedicated')
        end) then
          return tenant;
        end if;
        return null;
      end $$;
      comment on function tenant_in_motion is
        'The transaction’s tenant where it is not at home in this database: its rows are on their way here, or away'`);
    await this.provideForgetting(runner);
    await this.provideMoves(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    // What is provided each time the schema is looked after stands on what goes.
    await letTenantsStay(runner);
    await runner.query(`revoke select on migrations from wharf_operator; drop table tenant_moves; drop trigger accounts_not_forgotten on accounts;
      drop function keep_common_accounts; drop function forget_accounts; drop function tenant_in_motion`);
  }

  /** Rows of other tenants, which nobody sees who moves one, keep whom they refer to. */
  private async provideForgetting(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create function forget_accounts(after uuid, at_most integer) returns uuid language plpgsql
        set search_path = pg_catalog as $$
      declare
        account uuid;
        last uuid;
      begin
        for account in select a.id from public.accounts a where a.id > after order by a.id limit at_most loop
          last := account;
          begin
            delete from public.accounts a where a.id = account;
          exception when foreign_key_violation then null;
          end;
        end loop;
        return last;
      end $$;
      create function keep_common_accounts() returns trigger language plpgsql set search_path = pg_catalog as $$
      begin
        if (select i.database from public.installation i) is null then
          raise exception 'the common database forgets nobody' using errcode = '42501';
        end if;
        return old;
      end $$;
      create trigger accounts_not_forgotten before delete on accounts for each row
        when (current_user = 'wharf_mover') execute function keep_common_accounts()`);
  }

  private async provideMoves(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table tenant_moves (
        id uuid primary key,
        tenant_id uuid not null,
        -- Names of databases; null: the common one.
        from_database text,
        to_database text,
        state text not null default 'waiting'
          check (state in ('waiting', 'leaving', 'copied', 'compared', 'switched', 'reopened', 'done', 'failed')),
        reason text not null check (length(reason) between 1 and 1000),
        -- The operator; null: the platform itself, for a deletion that is due.
        requested_by uuid,
        requested_at timestamptz not null default now(),
        closed_at timestamptz,
        opened_at timestamptz,
        ended_at timestamptz,
        -- What was read of the tenant, table by table, and its newest checkpoint.
        content jsonb,
        attempts integer not null default 0,
        failure text,
        check (from_database is distinct from to_database)
      );
      create unique index tenant_moves_open on tenant_moves (tenant_id) where state not in ('done', 'failed');
      create index tenant_moves_tenant on tenant_moves (tenant_id, id)`);
    await stampSharedTable(runner, 'tenant_moves', 'says where tenants are moved, wherever their rows are', {
      wharf_operator: 'select, insert',
      wharf_mover: 'select, update',
      wharf_life_cycle: 'select, insert',
      wharf_background: 'select, update (attempts, failure)',
    });
  }
}
