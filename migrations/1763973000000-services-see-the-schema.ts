import type { MigrationInterface, QueryRunner } from 'typeorm';

const SERVICES = ['wharf_auth', 'wharf_control', 'wharf_gateway', 'wharf_background'];

/** Services compare what has run here with what they were made for: names and times of migrations, nothing of a tenant. */
export class ServicesSeeTheSchema1763973000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`grant select on migrations to ${SERVICES.join(', ')}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`revoke select on migrations from ${SERVICES.join(', ')}`);
  }
}
