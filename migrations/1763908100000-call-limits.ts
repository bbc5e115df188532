import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampTenantTable } from './support/tenant-table.js';

/** How often a tenant lets its tools be called: by each client, person or tool, or by all together. */
export class CallLimits1763908100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table call_limits (
        tenant_id uuid not null references tenants (id),
        name text not null check (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
        per text[] not null,
        server text,
        tools text[] not null,
        clients text[] not null,
        calls integer not null check (calls > 0),
        window_seconds integer not null check (window_seconds > 0),
        when_uncertain text not null check (when_uncertain in ('allow', 'refuse')),
        updated_at timestamptz not null default now(),
        primary key (tenant_id, name)
      );
      create trigger call_limits_changed after insert or update or delete on call_limits
        for each row execute function notify_tenant_change('tenant_id')`);
    await stampTenantTable(runner, 'call_limits', {
      grants: { wharf_control: 'select, insert, update, delete', wharf_gateway: 'select' },
    });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table call_limits`);
  }
}
