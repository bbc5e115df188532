import type { MigrationInterface, QueryRunner } from 'typeorm';

/** An import that failed for a reason that is not in its archive can be tried again with what was uploaded. */
export class ImportRetries1763962200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table tenant_imports add column kept_until timestamptz;
      comment on column tenant_imports.kept_until is 'of one that failed: until when its parts are kept, and it can be tried again';
      grant update (kept_until) on tenant_imports to wharf_background;
      grant update (trusted, slug, plan, home_region, reason, requested_by, progress, attempts, run_id, run_until, kept_until)
        on tenant_imports to wharf_operator`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      revoke update (trusted, slug, plan, home_region, reason, requested_by, progress, attempts, run_id, run_until)
        on tenant_imports from wharf_operator;
      alter table tenant_imports drop column kept_until`);
  }
}
