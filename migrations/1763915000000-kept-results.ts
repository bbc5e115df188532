import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How much of an answer a result shows, and how much of what is larger is kept for its caller. */
export class KeptResults1763915000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table plans
        add column inline_result_bytes_max integer not null default 1048576
          check (inline_result_bytes_max between 1024 and 1048576),
        add column kept_result_bytes_max integer not null default 33554432
          check (kept_result_bytes_max between 0 and 1073741824)`);
    await runner.query(`
      alter table servers add column inline_result_bytes integer
        check (inline_result_bytes between 1024 and 1048576)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table servers drop column inline_result_bytes`);
    await runner.query(`alter table plans drop column inline_result_bytes_max, drop column kept_result_bytes_max`);
  }
}
