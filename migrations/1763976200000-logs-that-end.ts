import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Whoever numbers records knows of which tenants the keys are destroyed: their logs have ended, and are signed as they are. */
export class LogsThatEnd1763976200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`grant select (tenant_id, state, step) on tenant_deletions to wharf_background`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`revoke select (tenant_id, state, step) on tenant_deletions from wharf_background`);
  }
}
