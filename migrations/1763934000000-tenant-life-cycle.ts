import type { MigrationInterface, QueryRunner } from 'typeorm';
import { CURRENT_TENANT, stampSharedTable, stampTenantTable } from './support/tenant-table.js';

/** Holds, deletions with a grace period, regions, and a role that reads and deletes a tenant as a whole. */
export class TenantLifeCycle1763934000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table tenants add column home_region text check (home_region ~ '^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$');
      alter table tenants add column deletion_due_at timestamptz;
      grant update (home_region, deletion_due_at) on tenants to wharf_operator;
      grant update (status, status_reason, deletion_due_at) on tenants to wharf_control;
      alter table plans add column deletion_grace_days integer not null default 7
        check (deletion_grace_days between 0 and 365)`);
    await this.provideRole(runner);
    await runner.query(`
      create policy tenants_wharf_background_select on tenants for select to wharf_background using (${CURRENT_TENANT} is null);
      comment on policy tenants_wharf_background_select on tenants is 'leaves the jobs of tenants to their home region'`);
    await this.provideHolds(runner);
    await this.provideDeletions(runner);
    await this.reserveSlugs(runner);
    await letLogsGo(runner);
  }

  async down(): Promise<void> {
    throw new Error('Receipts of deletions are not thrown away: restore a backup instead.');
  }

  /** What was stamped before this role was known; later tables give it the same (`stampTenantTable`). */
  private async provideRole(runner: QueryRunner): Promise<void> {
    await runner.query(`
      grant usage on schema public to wharf_life_cycle;
      do $$ declare tenant_table regclass; begin
        for tenant_table in select oid from pg_class where relkind in ('r', 'p') and not relispartition
          and relnamespace = 'public'::regnamespace and relrowsecurity loop
          execute format('grant select, delete on %s to wharf_life_cycle', tenant_table);
        end loop;
      end $$;
      -- Triggers of what is deleted write here.
      grant insert, update on document_usage to wharf_life_cycle;
      grant insert on connection_endings, outbox, unused_objects to wharf_life_cycle;
      grant update (wrapped, wrapping_key_id) on data_keys to wharf_life_cycle;
      grant update (live_release_id, previous_release_id) on servers to wharf_life_cycle;
      grant select (id, home_tenant_id, email, email_verified_at), delete on accounts to wharf_life_cycle;
      create function keep_other_accounts() returns trigger language plpgsql set search_path = pg_catalog as $$
      begin
        if old.home_tenant_id is distinct from nullif(current_setting('app.tenant_id', true), '')::uuid then
          raise exception 'only people of the tenant alone are deleted with it' using errcode = '42501';
        end if;
        return old;
      end $$;
      create trigger accounts_kept before delete on accounts for each row
        when (current_user = 'wharf_life_cycle') execute function keep_other_accounts();
      grant select on plans, operators, migrations to wharf_life_cycle;
      grant select (id, public_key, created_at) on audit_keys to wharf_life_cycle;
      grant insert on operator_actions to wharf_life_cycle`);
  }

  private async provideHolds(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table legal_holds (
        tenant_id uuid primary key references tenants (id),
        reason text not null check (length(reason) between 1 and 1000),
        held_by uuid not null,
        -- Whether the tenant may know of it.
        told boolean not null default true,
        since timestamptz not null default now()
      )`);
    await stampTenantTable(runner, 'legal_holds', {
      grants: {
        wharf_operator: 'select, insert, update, delete',
        wharf_control: 'select',
        wharf_background: 'select',
      },
      acrossTenants: [
        {
          role: 'wharf_background',
          commands: ['select'],
          reason: 'what a hold keeps, no retention deletes',
          whenNoTenant: true,
        },
        { role: 'wharf_operator', commands: ['select'], reason: 'operators see which tenants are held' },
      ],
    });
  }

  private async provideDeletions(runner: QueryRunner): Promise<void> {
    // It outlives its tenant, so it refers to none.
    await runner.query(`
      create table tenant_deletions (
        tenant_id uuid not null,
        id uuid not null,
        slug text not null,
        state text not null default 'waiting' check (state in ('waiting', 'cancelled', 'deleting', 'deleted')),
        step text not null default 'connections',
        reason text not null check (length(reason) between 1 and 1000),
        requested_by jsonb not null,
        requested_at timestamptz not null default now(),
        due_at timestamptz not null,
        status_before text not null,
        status_reason_before text,
        started_at timestamptz,
        ended_at timestamptz,
        checkpoint jsonb,
        counts jsonb not null default '{}',
        receipt text,
        primary key (tenant_id, id)
      );
      create unique index tenant_deletions_open on tenant_deletions (tenant_id) where state in ('waiting', 'deleting');
      create index tenant_deletions_due on tenant_deletions (due_at) where state in ('waiting', 'deleting')`);
    await stampTenantTable(runner, 'tenant_deletions', {
      grants: {
        wharf_control: 'select, insert, update (state, ended_at)',
        wharf_operator: 'select, insert, update (state, ended_at)',
        wharf_life_cycle: 'update',
      },
      acrossTenants: [
        { role: 'wharf_operator', commands: ['select'], reason: 'receipts are read when their tenants are gone' },
        {
          role: 'wharf_life_cycle',
          commands: ['select'],
          reason: 'finds the tenants whose grace period is over',
          whenNoTenant: true,
        },
      ],
    });
    await runner.query(`revoke delete on tenant_deletions from wharf_life_cycle`);
  }

  /** Nobody else answers at the address of a tenant that is gone, until its agents have had time to notice. */
  private async reserveSlugs(runner: QueryRunner): Promise<void> {
    await runner.query(`create table reserved_slugs (slug text primary key, until timestamptz not null)`);
    await stampSharedTable(runner, 'reserved_slugs', 'addresses of tenants that are gone belong to nobody', {
      wharf_control: 'select',
      wharf_life_cycle: 'select, insert, update',
    });
    await runner.query(`
      create function refuse_reserved_slug() returns trigger language plpgsql set search_path = pg_catalog as $$
      begin
        if exists (select from public.reserved_slugs r where r.slug = new.slug and r.until > now()) then
          raise exception 'the slug is reserved' using errcode = '23505', constraint = 'tenants_slug_key';
        end if;
        return new;
      end $$;
      create trigger tenants_slug_reserved before insert on tenants
        for each row execute function refuse_reserved_slug()`);
  }
}

/** Nobody deletes from a log that is not archived, but for one whose whole tenant is being deleted, and is not held. */
async function letLogsGo(runner: QueryRunner): Promise<void> {
  await runner.query(`
    create function is_being_deleted(tenant uuid) returns boolean language plpgsql stable set search_path = pg_catalog as $$
    begin
      if current_user <> 'wharf_life_cycle' then return false; end if;
      return exists (select from public.tenant_deletions d where d.tenant_id = tenant and d.state = 'deleting'
          and d.due_at <= now())
        and not exists (select from public.legal_holds h where h.tenant_id = tenant);
    end $$;
    create or replace function refuse_loss() returns trigger language plpgsql set search_path = pg_catalog as $$
    begin
      if current_user = 'wharf_life_cycle' then
        if exists (select from gone g where not public.is_being_deleted(g.tenant_id)) then
          raise exception 'an audit record leaves its arrivals only for the log, or with its tenant';
        end if;
        return null;
      end if;
      -- Each row is looked up by its key, whatever the planner believes of how many there are.
      if exists (select from gone g left join lateral (
        select 1 as found from public.audit_log l where l.tenant_id = g.tenant_id and l.id = g.id limit 1) kept on true
        where kept.found is null) then
        raise exception 'an audit record leaves its arrivals only for the log';
      end if;
      return null;
    end $$;
    create or replace function refuse_unarchived() returns trigger language plpgsql set search_path = pg_catalog as $$
    begin
      if exists (select from gone g where not exists (
          select from public.audit_archives a where a.tenant_id = g.tenant_id
            and g.leaf_index >= a.first_leaf and g.leaf_index < a.end_leaf)
          and not public.is_being_deleted(g.tenant_id)) then
        raise exception 'audit records are append-only, until they are in an archive';
      end if;
      return null;
    end $$;
  `);
  await letArchivesGo(runner);
}

async function letArchivesGo(runner: QueryRunner): Promise<void> {
  await runner.query(`
    create or replace function refuse_archive_loss() returns trigger language plpgsql set search_path = pg_catalog as $$
    begin
      if public.is_being_deleted(old.tenant_id) then return old; end if;
      if not exists (select from public.tenants t join public.plans p on p.name = t.plan where t.id = old.tenant_id
        and old.created_at < now() - make_interval(days => p.audit_archive_days)) then
        raise exception 'audit archives are append-only, until their plan lets them go';
      end if;
      if old.kept_until >= now() then return null; end if;
      return old;
    end $$;
    create or replace function refuse_chunk_loss() returns trigger language plpgsql set search_path = pg_catalog as $$
    begin
      if exists (select from public.audit_archives a where a.tenant_id = old.tenant_id
        and a.first_leaf = old.first_leaf and a.object is null) and not public.is_being_deleted(old.tenant_id) then
        raise exception 'audit archives are append-only';
      end if;
      return old;
    end $$;
    drop trigger audit_checkpoints_append_only on audit_checkpoints;
    create trigger audit_checkpoints_append_only before update or truncate on audit_checkpoints
      for each statement execute function refuse_change();
    create function refuse_checkpoint_loss() returns trigger language plpgsql set search_path = pg_catalog as $$
    begin
      if not public.is_being_deleted(old.tenant_id) then
        raise exception 'audit records are append-only';
      end if;
      return old;
    end $$;
    create trigger audit_checkpoints_kept before delete on audit_checkpoints
      for each row execute function refuse_checkpoint_loss()`);
}
