import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How close tools are to their limits, beside what their calls add up to. */
export class ToolSaturation1763913000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table call_rollups
        add column queue_buckets bigint[] not null default '{}',
        add column concurrency_peak bigint not null default 0,
        add column worker_memory_bytes bigint not null default 0`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table call_rollups
        drop column queue_buckets, drop column concurrency_peak, drop column worker_memory_bytes`);
  }
}
