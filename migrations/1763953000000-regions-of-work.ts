import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampSharedTable } from './support/tenant-table.js';

/** Regions on one database: whose queue a job went to, and what operators tell the tenants of one region. */
export class RegionsOfWork1763953000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table outbox add column dispatched_region text;
      alter table announcements add column region text;
      create table region_maintenance (
        region text primary key,
        mode text not null check (mode in ('management', 'everything')),
        message text not null,
        reason text not null,
        began_at timestamptz not null default now(),
        until timestamptz not null
      );
      create trigger region_maintenance_changed after insert or update or delete on region_maintenance
        for each row execute function notify_tenant_change('none')`);
    await stampSharedTable(runner, 'region_maintenance', 'a region is maintained for all tenants alike', {
      wharf_operator: 'select, insert, update, delete',
      wharf_control: 'select',
      wharf_gateway: 'select',
    });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop table region_maintenance;
      alter table announcements drop column region;
      alter table outbox drop column dispatched_region`);
  }
}
