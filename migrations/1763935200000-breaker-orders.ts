import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampTenantTable } from './support/tenant-table.js';

/** What operators say about circuit breakers: one that is held open for a time, one that begins anew. */
export class BreakerOrders1763935200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table breaker_orders (
        tenant_id uuid not null references tenants (id),
        origin text not null,
        open_until timestamptz,
        reset_at timestamptz,
        reason text not null,
        ordered_at timestamptz not null default now(),
        primary key (tenant_id, origin)
      );
      create trigger breaker_orders_changed after insert or update or delete on breaker_orders
        for each row execute function notify_tenant_change('tenant_id')`);
    await stampTenantTable(runner, 'breaker_orders', {
      grants: {
        wharf_operator: 'select, insert, update, delete',
        wharf_control: 'select',
        wharf_gateway: 'select',
        wharf_background: 'select',
      },
    });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table breaker_orders`);
  }
}
