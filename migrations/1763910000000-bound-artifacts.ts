import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampSharedTable } from './support/tenant-table.js';

/**
 * Whether codes and tokens are sealed with what is presented: at once in a new installation, which has not noted its
 * master key yet; elsewhere when no auth-server of the release before has been connected for long enough.
 */
export class BoundArtifacts1763910000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table oauth_sealing (
        singleton boolean primary key default true check (singleton),
        older_seen_at timestamptz not null default now(),
        looked_at timestamptz not null default now(),
        settled_at timestamptz
      )`);
    await runner.query(`insert into oauth_sealing (settled_at)
      select case when exists (select from installation) then null else now() end`);
    await stampSharedTable(runner, 'oauth_sealing', 'how the authorization server seals its rows is one for all', {
      wharf_auth: 'select, update',
    });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table oauth_sealing`);
  }
}
