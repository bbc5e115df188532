import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The ledger tells what calls sent to and received from upstreams. */
export class EgressUsage1763941100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table usage_hours add column egress_bytes bigint not null default 0`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table usage_hours drop column egress_bytes`);
  }
}
