import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A release may run an uploaded bundle, which then cannot be deleted. */
export class Bundles1763720000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table releases
        add column artefact text,
        add foreign key (tenant_id, artefact) references blobs (tenant_id, digest)`);
    await runner.query(`create index releases_artefact on releases (tenant_id, artefact)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table releases drop column artefact`);
  }
}
