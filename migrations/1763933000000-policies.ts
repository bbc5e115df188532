import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampTenantTable } from './support/tenant-table.js';

/** A tenant's rules on calls, and the calls that wait for a person's approval. */
export class Policies1763933000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table policies (
        tenant_id uuid not null references tenants (id),
        name text not null check (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
        priority integer not null check (priority between 0 and 10000),
        enabled boolean not null,
        scope text not null check (scope in ('tool_calls', 'requests')),
        effect text not null check (effect in ('allow', 'deny', 'require_approval')),
        expression text not null check (char_length(expression) between 1 and 2000),
        message text check (char_length(message) <= 300),
        servers text[] not null,
        approval_seconds integer not null check (approval_seconds between 60 and 86400),
        self_approval boolean not null,
        updated_at timestamptz not null default now(),
        primary key (tenant_id, name)
      );
      create trigger policies_changed after insert or update or delete on policies
        for each row execute function notify_tenant_change('tenant_id')`);
    await stampTenantTable(runner, 'policies', {
      grants: { wharf_control: 'select, insert, update, delete', wharf_gateway: 'select' },
    });
    // What of a tool's annotations and method rules ask about, by name; null for releases from before.
    await runner.query(`alter table releases add column tool_hints jsonb`);
    await runner.query(`alter table servers add column approves_destructive boolean not null default false`);
    await runner.query(`
      create trigger members_role_changed after update of role on members
        for each row execute function notify_tenant_change('tenant_id')`);
    await this.#approvals(runner);
  }

  async #approvals(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table approvals (
        tenant_id uuid not null references tenants (id),
        id uuid not null,
        digest text not null,
        state text not null check (state in ('pending', 'approved', 'refused', 'used', 'expired')),
        rule text not null,
        requester jsonb not null,
        server text not null,
        tool text not null,
        data_key_id uuid not null,
        sealed_arguments bytea not null,
        valid_seconds integer not null,
        self_approval boolean not null,
        requested_at timestamptz not null default now(),
        expires_at timestamptz not null,
        decided_at timestamptz,
        decided_by jsonb,
        reason text,
        used_at timestamptz,
        primary key (tenant_id, id)
      );
      create unique index approvals_open on approvals (tenant_id, digest) where state in ('pending', 'approved');
      create index approvals_asked on approvals (tenant_id, digest, requested_at desc);
      create index approvals_due on approvals (tenant_id, expires_at) where state in ('pending', 'approved')`);
    await stampTenantTable(runner, 'approvals', {
      grants: {
        wharf_control: 'select, update',
        wharf_gateway: 'select, insert, update',
        wharf_background: 'select, update, delete',
      },
      acrossTenants: [
        {
          role: 'wharf_background',
          commands: ['select'],
          reason: 'finds the tenants whose approvals have expired or are to be forgotten',
          whenNoTenant: true,
        },
      ],
    });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table approvals; drop trigger members_role_changed on members`);
    await runner.query(`alter table servers drop column approves_destructive`);
    await runner.query(`alter table releases drop column tool_hints`);
    await runner.query(`drop table policies`);
  }
}
