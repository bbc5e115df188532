import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Whether a plan's calls run while nobody can count them for all gateways together. */
export class PlansWhenUncertain1763974000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table plans add column when_uncertain text not null default 'allow'
        check (when_uncertain in ('allow', 'refuse'))`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table plans drop column when_uncertain`);
  }
}
