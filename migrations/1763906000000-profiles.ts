import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampTenantTable } from './support/tenant-table.js';

/**
 * A tenant's profiles: views of its servers, each at a URL of its own. A profile's URL stands where a server's would, so
 * that no profile and no server of a tenant have the same slug.
 */
export class Profiles1763906000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table profiles (
        tenant_id uuid not null references tenants (id),
        id uuid not null,
        slug text not null,
        name text not null,
        settings jsonb not null,
        view_digest text not null,
        view text not null,
        previous_view_digest text,
        previous_view text,
        created_at timestamptz not null default now(),
        primary key (tenant_id, id),
        constraint profiles_slug_key unique (tenant_id, slug)
      )`);
    await runner.query(`
      create function refuse_taken_slug() returns trigger language plpgsql set search_path = pg_catalog, public as $$
      declare
        taken boolean;
      begin
        perform pg_advisory_xact_lock(hashtextextended('urls:' || new.tenant_id, 0));
        execute format('select exists (select from %I where tenant_id = $1 and slug = $2)', tg_argv[0])
          into taken using new.tenant_id, new.slug;
        if taken then
          raise exception 'the slug is in use' using errcode = 'unique_violation', constraint = tg_table_name || '_slug_key';
        end if;
        return new;
      end $$`);
    await runner.query(`
      create trigger profiles_own_slug before insert or update of slug on profiles
        for each row execute function refuse_taken_slug('servers')`);
    await runner.query(`
      create trigger servers_own_slug before insert or update of slug on servers
        for each row execute function refuse_taken_slug('profiles')`);
    await runner.query(`
      create trigger profiles_changed after insert or update or delete on profiles
        for each row execute function notify_tenant_change('tenant_id')`);
    await stampTenantTable(runner, 'profiles', {
      grants: {
        wharf_control: 'select, insert, update, delete',
        wharf_gateway: 'select',
        wharf_auth: 'select',
        wharf_background: 'select',
      },
    });
    await runner.query(`alter table releases add column tool_digests jsonb, add column tool_tokens jsonb`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table releases drop column tool_digests, drop column tool_tokens`);
    await runner.query(`drop trigger servers_own_slug on servers`);
    await runner.query(`drop table profiles`);
    await runner.query(`drop function refuse_taken_slug()`);
  }
}
