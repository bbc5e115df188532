import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampTenantTable } from './support/tenant-table.js';

/** People are invited, belong to groups, and may connect the servers that their tenant lets them connect. */
export class Members1763871000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table members add column groups text[] not null default '{}' check (cardinality(groups) <= 5000)`);
    await runner.query(`grant update (groups) on members to wharf_auth`);
    await runner.query(`grant select on members to wharf_gateway`);
    await runner.query(`
      create trigger members_changed after update of groups or delete on members
        for each row execute function notify_tenant_change('tenant_id')`);
    await this.provideInvitations(runner);
    await this.provideServerPeople(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table server_people, invitations`);
    await runner.query(`alter table servers drop column people`);
    await runner.query(`drop trigger members_changed on members`);
    await runner.query(`revoke select on members from wharf_gateway`);
    await runner.query(`alter table members drop column groups`);
  }

  private async provideInvitations(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table invitations (
        tenant_id uuid not null references tenants (id),
        id uuid not null,
        email text not null check (email = lower(email)),
        role text not null check (role in ('owner', 'admin', 'developer', 'auditor', 'user')),
        groups text[] not null check (cardinality(groups) <= 100),
        token_hash text not null check (token_hash ~ '^[0-9a-f]{64}$'),
        invited_by uuid not null references accounts (id),
        created_at timestamptz not null default now(),
        expires_at timestamptz not null,
        withdrawn_at timestamptz,
        accepted_at timestamptz,
        accepted_by uuid references accounts (id),
        primary key (tenant_id, id),
        unique (tenant_id, token_hash)
      )`);
    await runner.query(`
      create unique index invitations_open on invitations (tenant_id, email)
        where withdrawn_at is null and accepted_at is null`);
    await stampTenantTable(runner, 'invitations', { grants: { wharf_control: 'select, insert, update, delete' } });
  }

  private async provideServerPeople(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table servers add column people text not null default 'everyone' check (people in ('everyone', 'named'))`);
    await runner.query(`
      create table server_people (
        tenant_id uuid not null references tenants (id),
        server_id uuid not null,
        kind text not null check (kind in ('member', 'group')),
        who text not null check (length(who) between 1 and 256),
        primary key (tenant_id, server_id, kind, who),
        foreign key (tenant_id, server_id) references servers (tenant_id, id) on delete cascade
      )`);
    await stampTenantTable(runner, 'server_people', {
      grants: { wharf_control: 'select, insert, delete', wharf_auth: 'select', wharf_gateway: 'select' },
    });
    await runner.query(`
      create trigger server_people_changed after insert or delete on server_people
        for each row execute function notify_tenant_change('tenant_id')`);
  }
}
