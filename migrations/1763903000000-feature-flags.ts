import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampSharedTable, stampTenantTable } from './support/tenant-table.js';

/** Feature flags: for which part of the tenants each is on, and what was decided for single tenants. */
export class FeatureFlags1763903000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table feature_flags (
        flag text primary key check (flag ~ '^[a-z][a-z0-9_]{0,62}$'),
        percent integer not null check (percent between 0 and 100),
        updated_at timestamptz not null default now()
      )`);
    await runner.query(`
      create table tenant_feature_flags (
        tenant_id uuid not null references tenants (id),
        flag text not null check (flag ~ '^[a-z][a-z0-9_]{0,62}$'),
        decided_by text not null check (decided_by in ('operator', 'tenant')),
        enabled boolean not null,
        reason text,
        updated_at timestamptz not null default now(),
        primary key (tenant_id, flag, decided_by),
        check (decided_by = 'tenant' or reason is not null)
      )`);
    await this.#stamp(runner);
    await runner.query(`create trigger feature_flags_changed after insert or update or delete on feature_flags
      for each row execute function notify_tenant_change('none')`);
    await runner.query(`create trigger tenant_feature_flags_changed after insert or update or delete
      on tenant_feature_flags for each row execute function notify_tenant_change('tenant_id')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table tenant_feature_flags`);
    await runner.query(`drop table feature_flags`);
  }

  async #stamp(runner: QueryRunner): Promise<void> {
    await stampSharedTable(runner, 'feature_flags', 'a feature flag’s part of the tenants is the platform’s choice', {
      wharf_operator: 'select, insert, update',
      wharf_control: 'select',
      wharf_gateway: 'select',
    });
    await stampTenantTable(runner, 'tenant_feature_flags', {
      grants: {
        wharf_operator: 'select, insert, update, delete',
        wharf_control: 'select, insert, update, delete',
        wharf_gateway: 'select',
      },
    });
  }
}
