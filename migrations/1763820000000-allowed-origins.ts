import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A tenant says from which web pages its URLs may be called. */
export class AllowedOrigins1763820000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table tenants add column allowed_origins text[] not null default '{}'
        check (cardinality(allowed_origins) <= 32)`);
    await runner.query(`grant update (allowed_origins) on tenants to wharf_control`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table tenants drop column allowed_origins`);
  }
}
