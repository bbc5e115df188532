import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampTenantTable } from './support/tenant-table.js';

/** What tenants' calls use: by hour for bills, by month for what a plan allows. */
export class Usage1763908000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table usage_hours (
        tenant_id uuid not null references tenants (id),
        hour timestamptz not null,
        server text not null,
        tool text not null,
        client text not null,
        calls bigint not null,
        failed bigint not null,
        tool_ms bigint not null,
        bytes_in bigint not null,
        bytes_out bigint not null,
        primary key (tenant_id, hour, server, tool, client)
      );
      create index usage_hours_hour on usage_hours (hour);
      create table usage_months (
        tenant_id uuid not null references tenants (id),
        month date not null,
        calls bigint not null,
        tool_ms bigint not null,
        bytes bigint not null,
        warned text[] not null default '{}',
        reached text[] not null default '{}',
        primary key (tenant_id, month)
      );
      create trigger usage_months_changed after update of reached on usage_months
        for each row when (old.reached is distinct from new.reached)
        execute function notify_tenant_change('tenant_id')`);
    await addBudgets(runner);
    await stampTables(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop table usage_months;
      drop table usage_hours;
      alter table plans drop column calls_per_month, drop column tool_seconds_per_month, drop column bytes_per_month,
        drop column budget_warn_percent, drop column over_budget`);
  }
}

async function addBudgets(runner: QueryRunner): Promise<void> {
  await runner.query(`
    alter table plans
      add column calls_per_month bigint check (calls_per_month > 0),
      add column tool_seconds_per_month bigint check (tool_seconds_per_month > 0),
      add column bytes_per_month bigint check (bytes_per_month > 0),
      add column budget_warn_percent integer not null default 80 check (budget_warn_percent between 1 and 100),
      add column over_budget text not null default 'refuse' check (over_budget in ('refuse', 'serve'));
    update plans p set calls_per_month = b.calls, tool_seconds_per_month = b.seconds, bytes_per_month = b.bytes
    from (values ('free', 1000000, 360000, 107374182400), ('team', 20000000, 7200000, 2199023255552),
      ('scale', 500000000, 180000000, 54975581388800)) as b (name, calls, seconds, bytes) where p.name = b.name`);
}

async function stampTables(runner: QueryRunner): Promise<void> {
  await stampTenantTable(runner, 'usage_hours', {
    grants: { wharf_control: 'select', wharf_background: 'select, insert, update, delete' },
    acrossTenants: [
      {
        role: 'wharf_background',
        commands: ['select', 'delete'],
        reason: 'deletes what is older than it is kept, whoever it belongs to',
        whenNoTenant: true,
      },
    ],
  });
  await stampTenantTable(runner, 'usage_months', {
    grants: {
      wharf_gateway: 'select',
      wharf_control: 'select',
      wharf_background: 'select, insert, update',
    },
  });
}
