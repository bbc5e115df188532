import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampTenantTable } from './support/tenant-table.js';

const TABLES = `
create table tenant_exports (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  state text not null default 'waiting' check (state in ('waiting', 'making', 'ready', 'failed', 'expired')),
  secrets text not null check (secrets in ('sealed', 'left_out')),
  -- How the asker gets the export key back; null where secrets are left out.
  key_envelope jsonb,
  -- The export key, sealed, until the archive is made.
  data_key_id uuid,
  ciphertext bytea,
  requested_by jsonb not null,
  progress jsonb not null default '{}',
  bytes bigint,
  digest text,
  failure text,
  created_at timestamptz not null default now(),
  ready_at timestamptz,
  expires_at timestamptz not null default now() + interval '7 days',
  primary key (tenant_id, id),
  foreign key (tenant_id, data_key_id) references data_keys (tenant_id, id)
);
create unique index tenant_exports_open on tenant_exports (tenant_id) where state in ('waiting', 'making');
create index tenant_exports_expiry on tenant_exports (expires_at) where state in ('ready', 'failed');
create table tenant_export_parts (
  tenant_id uuid not null references tenants (id),
  export_id uuid not null,
  number integer not null,
  digest text not null,
  bytes integer not null check (bytes between 1 and 1048576),
  content bytea not null,
  primary key (tenant_id, export_id, number),
  foreign key (tenant_id, export_id) references tenant_exports (tenant_id, id) on delete cascade
);
create table imported_audit_files (
  tenant_id uuid not null references tenants (id),
  path text not null check (path ~ '^audit/[a-z0-9][a-z0-9./-]{0,200}$' and path !~ '\\.\\.'),
  number integer not null,
  content bytea not null check (octet_length(content) between 1 and 1048576),
  primary key (tenant_id, path, number)
)`;

/** Archives of whole tenants, in parts of bounded size, and the audit logs that came with tenants from elsewhere. */
export class TenantExports1763934100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(TABLES);
    await stampTenantTable(runner, 'tenant_exports', {
      grants: {
        wharf_control: 'select, insert',
        wharf_background: 'select, update',
      },
      acrossTenants: [
        {
          role: 'wharf_background',
          commands: ['select'],
          reason: 'finds exports whose time is over',
          whenNoTenant: true,
        },
      ],
    });
    await stampTenantTable(runner, 'tenant_export_parts', {
      grants: { wharf_control: 'select', wharf_background: 'select, insert, delete' },
    });
    await stampTenantTable(runner, 'imported_audit_files', { grants: { wharf_control: 'select' } });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table imported_audit_files, tenant_export_parts, tenant_exports`);
  }
}
