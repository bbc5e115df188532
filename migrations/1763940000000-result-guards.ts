import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a server's results may hold: their size, and personal data. */
export class ResultGuards1763940000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table servers add column result_guard jsonb
        check (jsonb_typeof(result_guard) = 'object' and pg_column_size(result_guard) < 2048)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table servers drop column result_guard`);
  }
}
