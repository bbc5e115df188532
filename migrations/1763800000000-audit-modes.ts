import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A plan says how durable a call's record is before its reply, and a server whether records hold what was asked. */
export class AuditModes1763800000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table plans add column audit_mode text not null default 'disk'
        constraint plans_audit_mode check (audit_mode in ('process', 'disk', 'database'))`);
    await runner.query(`alter table servers add column records_content boolean not null default false`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table plans drop column audit_mode`);
    await runner.query(`alter table servers drop column records_content`);
  }
}
