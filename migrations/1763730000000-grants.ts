import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampTenantTable } from './support/tenant-table.js';

/** What people let agents hold is written down where a gateway can see that it has ended. */
export class Grants1763730000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table grants (
        tenant_id uuid not null references tenants (id),
        id text not null check (id ~ '^[0-9a-f]{64}$'),
        account_id uuid not null references accounts (id),
        client_id text not null,
        client_name text,
        redirect_host text,
        resource text not null,
        scope text not null,
        created_at timestamptz not null default now(),
        last_used_at timestamptz not null default now(),
        expires_at timestamptz not null,
        revoked_at timestamptz,
        primary key (tenant_id, id)
      )`);
    await runner.query(`create index grants_id on grants (id)`);
    await runner.query(`create index grants_account on grants (account_id)`);
    await runner.query(`create index grants_expiry on grants (expires_at)`);
    await stampTenantTable(runner, 'grants', {
      grants: {
        wharf_auth: 'select, insert, update, delete',
        wharf_control: 'select',
        wharf_gateway: 'select',
      },
      acrossTenants: [
        {
          role: 'wharf_auth',
          commands: ['select'],
          reason: 'a person sees what agents hold for them at every tenant',
        },
      ],
    });
    await runner.query(`
      create trigger grants_changed after update of revoked_at on grants
        for each row execute function notify_tenant_change('tenant_id')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table grants`);
  }
}
