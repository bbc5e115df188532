import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The API keys of people whom their provider lets in no more end with their membership, unless their tenant keeps them. */
export class KeysOfLeavers1763969000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table identity_providers add column keys_of_leavers text not null default 'revoke'
        check (keys_of_leavers in ('revoke', 'keep'))`);
    await runner.query(`
      grant select (tenant_id, id, created_by, expires_at, revoked_at), update (revoked_at) on api_keys to wharf_auth`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      revoke select (tenant_id, id, created_by, expires_at, revoked_at), update (revoked_at) on api_keys from wharf_auth`);
    await runner.query(`alter table identity_providers drop column keys_of_leavers`);
  }
}
