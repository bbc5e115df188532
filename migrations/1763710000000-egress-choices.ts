import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Operators may allow private ranges, and tenants may have stale answers served. */
export class EgressChoices1763710000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table egress_allowances
        alter column host drop not null,
        add column range cidr,
        add constraint egress_allowances_one check (num_nonnulls(host, range) = 1),
        add constraint egress_allowances_range_key unique (tenant_id, range, port)`);
    await runner.query(`
      alter table servers
        add column stale_answers boolean not null default false,
        add column stale_answers_max_age_seconds integer not null default 3600
          constraint servers_stale_answers_age check (stale_answers_max_age_seconds between 1 and 604800)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table servers drop column stale_answers, drop column stale_answers_max_age_seconds`);
    await runner.query(`delete from egress_allowances where range is not null`);
    await runner.query(`alter table egress_allowances drop column range, alter column host set not null`);
  }
}
