import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Operators delete a plan that nobody has; an import that is over goes on naming it. */
export class PlansThatEnd1763972000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table tenant_imports drop constraint tenant_imports_plan_fkey;
      grant delete on plans to wharf_operator`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      revoke delete on plans from wharf_operator;
      alter table tenant_imports add constraint tenant_imports_plan_fkey foreign key (plan) references plans (name) not valid`);
  }
}
