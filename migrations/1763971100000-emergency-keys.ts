import type { MigrationInterface, QueryRunner } from 'typeorm';

/** An operator's key of the configuration can be shut, and stays so: its row says since when. */
export class EmergencyKeys1763971100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table operators add column key_shut_at timestamptz;
      grant update (key_shut_at) on operators to wharf_operator`);
  }

  /** Keys that were shut are forgotten: the release before would let them in. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      update operators set key_hash = null where key_shut_at is not null;
      revoke update (key_shut_at) on operators from wharf_operator;
      alter table operators drop column key_shut_at`);
  }
}
