import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Whether a plan's tenants may be given a database of their own, and how much their tools may exchange with upstreams. */
export class PlanTierAndEgress1763957000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table plans add column isolation_tier text not null default 'shared'
          check (isolation_tier in ('shared', 'dedicated')),
        add column egress_bytes_per_month bigint check (egress_bytes_per_month > 0);
      alter table usage_months add column egress_bytes bigint not null default 0`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table plans drop column isolation_tier, drop column egress_bytes_per_month;
      alter table usage_months drop column egress_bytes`);
  }
}
