import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What an upstream has said that a person's login there lacks, to be asked for when they log in again. */
export class ConnectionScopes1763916000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table connections add column wanted_scopes text[] not null default '{}'
        check (cardinality(wanted_scopes) <= 50)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table connections drop column wanted_scopes`);
  }
}
