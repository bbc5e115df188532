import type { MigrationInterface, QueryRunner } from 'typeorm';

/** An API key that is rotated knows its successor, so that it has one only. */
export class KeySuccessors1763872000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table api_keys add column successor_id uuid,
        add foreign key (tenant_id, successor_id) references api_keys (tenant_id, id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table api_keys drop column successor_id`);
  }
}
