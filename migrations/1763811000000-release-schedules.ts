import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When a server's releases may go out: its windows, and whether they are frozen. */
export class ReleaseSchedules1763811000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table servers add column release_schedule jsonb not null default '{"windows": [], "freeze": null}'`);
    await runner.query(`alter table rollouts add column override_schedule boolean not null default false`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table rollouts drop column override_schedule`);
    await runner.query(`alter table servers drop column release_schedule`);
  }
}
