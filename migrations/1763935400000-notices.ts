import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampSharedTable } from './support/tenant-table.js';

/** What operators tell everybody: that the platform is being maintained, and announcements. */
export class Notices1763935400000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table maintenance (
        singleton boolean primary key default true check (singleton),
        mode text not null check (mode in ('management', 'everything')),
        message text not null,
        reason text not null,
        began_at timestamptz not null default now(),
        until timestamptz not null
      );
      create trigger maintenance_changed after insert or update or delete on maintenance
        for each row execute function notify_tenant_change('none');
      create table announcements (
        id uuid primary key,
        severity text not null check (severity in ('info', 'warning', 'critical')),
        text text not null,
        starts_at timestamptz not null,
        ends_at timestamptz not null check (ends_at > starts_at),
        created_at timestamptz not null default now(),
        withdrawn_at timestamptz
      );
      create index announcements_ends on announcements (ends_at)`);
    await stampSharedTable(runner, 'maintenance', 'the platform is maintained for all tenants alike', {
      wharf_operator: 'select, insert, update, delete',
      wharf_control: 'select',
      wharf_gateway: 'select',
    });
    await stampSharedTable(runner, 'announcements', 'operators tell every tenant the same', {
      wharf_operator: 'select, insert, update (withdrawn_at)',
      wharf_control: 'select',
    });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table announcements; drop table maintenance`);
  }
}
