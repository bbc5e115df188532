import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampTenantTable } from './support/tenant-table.js';

/**
 * Who was a member until lately: what happened to their account while they were is told to the tenant's log, however late
 * that is reached. Noted by a trigger, so that whoever ends a membership notes it, also a service of an earlier version.
 */
export class PastMembers1763968000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table past_members (
        tenant_id uuid not null references tenants (id),
        -- No foreign key: that somebody once belonged to a tenant keeps no account.
        account_id uuid not null,
        joined_at timestamptz not null,
        left_at timestamptz not null,
        primary key (tenant_id, account_id, left_at)
      );
      create index past_members_account on past_members (account_id);
      create index past_members_left on past_members (left_at)`);
    await stampTenantTable(runner, 'past_members', {
      grants: { wharf_control: 'insert', wharf_auth: 'select, insert', wharf_background: 'select, delete' },
      acrossTenants: [
        {
          role: 'wharf_auth',
          commands: ['select'],
          where: `account_id = (select nullif(current_setting('app.account_id', true), '')::uuid)`,
          reason: 'what happened to a person’s sign-in is recorded at every tenant they belonged to when it did',
        },
        {
          role: 'wharf_background',
          commands: ['select'],
          whenNoTenant: true,
          where: `left_at < now() - interval '30 days'`,
          reason: 'notes of who has left are forgotten',
        },
        {
          role: 'wharf_background',
          commands: ['delete'],
          whenNoTenant: true,
          where: 'app_is_home(tenant_id)',
          reason: 'notes of who has left are forgotten',
        },
      ],
    });
    await runner.query(`
      create function note_past_member() returns trigger language plpgsql set search_path = pg_catalog as $$
      begin
        insert into public.past_members (tenant_id, account_id, joined_at, left_at)
        values (old.tenant_id, old.account_id, old.created_at, clock_timestamp());
        return null;
      end $$;
      -- With a tenant that is deleted its log goes too.
      create trigger members_left after delete on members for each row
        when (current_user <> 'wharf_life_cycle') execute function note_past_member()`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop trigger members_left on members; drop function note_past_member; drop table past_members`);
  }
}
