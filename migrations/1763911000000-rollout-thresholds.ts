import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A rollout says when its candidate is bad, which other answers of probes somebody has accepted, and whether sessions are shadowed. */
export class RolloutThresholds1763911000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table rollouts
      add column thresholds jsonb not null default '{}', add column accepted_probes uuid[] not null default '{}',
      add column shadows_sessions boolean not null default false`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table rollouts drop column thresholds, drop column accepted_probes,
      drop column shadows_sessions`);
  }
}
