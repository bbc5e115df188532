import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who deletes and brings in tenants does so in the name of an operator, or of the platform: for that an id is enough. */
export class PlatformItself1763968300000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      revoke select on operators from wharf_life_cycle;
      grant select (id) on operators to wharf_life_cycle`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      revoke select (id) on operators from wharf_life_cycle;
      grant select on operators to wharf_life_cycle`);
  }
}
