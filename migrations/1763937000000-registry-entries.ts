import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampTenantTable } from './support/tenant-table.js';

/** What tenants say of their servers in the MCP registry, and to whom. */
export class RegistryEntries1763937000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table registry_entries (
        tenant_id uuid not null references tenants (id),
        server_id uuid not null,
        tenant_slug text not null,
        server_slug text not null,
        visibility text not null check (visibility in ('tenant', 'everyone')),
        title text not null,
        description text not null,
        website_url text,
        repository_url text,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        primary key (tenant_id, server_id),
        foreign key (tenant_id, server_id) references servers (tenant_id, id) on delete cascade
      );
      create index registry_entries_everyone on registry_entries (server_id) where visibility = 'everyone';`);
    await stampTenantTable(runner, 'registry_entries', {
      grants: { wharf_control: 'select, insert, update, delete' },
      acrossTenants: [
        {
          role: 'wharf_control',
          commands: ['select'],
          reason: 'the registry shows everybody what tenants have made public',
          whenNoTenant: true,
          where: `visibility = 'everyone'`,
        },
      ],
    });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table registry_entries`);
  }
}
