import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampTenantTable } from './support/tenant-table.js';

/** What calls of tools add up to, by minute: the tenants' own view of their metrics. */
export class CallRollups1763760000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table call_rollups (
        tenant_id uuid not null references tenants (id),
        minute timestamptz not null,
        server text not null,
        tool text not null,
        calls bigint not null default 0,
        tool_errors bigint not null default 0,
        failures bigint not null default 0,
        refusals bigint not null default 0,
        invalid_arguments bigint not null default 0,
        unknown_tools bigint not null default 0,
        corrections bigint not null default 0,
        repeats bigint not null default 0,
        buckets bigint[] not null default '{}',
        primary key (tenant_id, minute, server, tool)
      );
      create index call_rollups_minute on call_rollups (minute)`);
    await stampTenantTable(runner, 'call_rollups', {
      grants: {
        wharf_gateway: 'select, insert, update',
        wharf_control: 'select',
        wharf_background: 'select, delete',
      },
      acrossTenants: [
        {
          role: 'wharf_background',
          commands: ['select', 'delete'],
          reason: 'deletes what is older than it is kept, whoever it belongs to',
          whenNoTenant: true,
        },
      ],
    });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table call_rollups`);
  }
}
