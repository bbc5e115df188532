import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The management API may ask whether a client has registered itself; who it is stays with the authorization server. */
export class ExchangeClients1763900000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`grant select (model, id_hash, expires_at) on oauth_artifacts to wharf_control`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`revoke select (model, id_hash, expires_at) on oauth_artifacts from wharf_control`);
  }
}
