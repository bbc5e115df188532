import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampTenantTable } from './support/tenant-table.js';

const TABLES = `
create table webhooks (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  name text not null,
  url text not null,
  mode text not null check (mode in ('each', 'stream')),
  events text[] not null,
  format text not null check (format in ('record', 'ocsf')),
  state text not null check (state in ('active', 'paused')),
  paused_because text check (paused_because in ('asked', 'failing', 'gone', 'overflowing')),
  failing_since timestamptz,
  last_failure text,
  data_key_id uuid not null,
  secret bytea not null,
  previous_data_key_id uuid,
  previous_secret bytea,
  previous_secret_expires_at timestamptz,
  stream_next bigint not null,
  stream_end bigint,
  stream_job_id uuid,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, data_key_id) references data_keys (tenant_id, id),
  check ((state = 'paused') = (paused_because is not null)),
  check (mode = 'each' or events = '{*}')
);

create table webhook_deliveries (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  webhook_id uuid not null,
  type text not null,
  record_id uuid,
  checkpoint_size bigint,
  state text not null default 'pending' check (state in ('pending', 'delivered', 'dead')),
  job_id uuid not null,
  attempts integer not null default 0,
  last_status integer,
  last_failure text,
  attempted_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, webhook_id) references webhooks (tenant_id, id) on delete cascade
);
create index webhook_deliveries_of on webhook_deliveries (tenant_id, webhook_id, id);
create index webhook_deliveries_pending on webhook_deliveries (tenant_id, webhook_id) where state = 'pending';
create index webhook_deliveries_age on webhook_deliveries (created_at) where state <> 'pending';
`;

/** Webhooks, and what each of them was sent. */
export class Webhooks1763780000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(TABLES);
    await stampTenantTable(runner, 'webhooks', {
      grants: { wharf_control: 'select, insert, update, delete', wharf_background: 'select, update' },
    });
    await stampTenantTable(runner, 'webhook_deliveries', {
      grants: { wharf_control: 'select, insert, update', wharf_background: 'select, insert, update, delete' },
      acrossTenants: [
        {
          role: 'wharf_background',
          commands: ['select', 'delete'],
          reason: 'deletes what is kept for a time only',
          whenNoTenant: true,
        },
      ],
    });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table webhook_deliveries`);
    await runner.query(`drop table webhooks`);
  }
}
