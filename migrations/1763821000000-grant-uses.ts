import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Whoever lets a token of a grant in notes that the grant was used. */
export class GrantUses1763821000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`grant update (last_used_at) on grants to wharf_gateway, wharf_control`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`revoke update (last_used_at) on grants from wharf_gateway, wharf_control`);
  }
}
