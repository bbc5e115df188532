import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a tenant's provider lets itself be asked about a person again with, sealed, and when it was asked. */
export class FederatedStanding1763823000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table federated_identities
        add column checked_at timestamptz not null default now(),
        add column refresh_data_key_id uuid,
        add column refresh_ciphertext bytea,
        add foreign key (tenant_id, refresh_data_key_id) references data_keys (tenant_id, id),
        add check (num_nonnulls(refresh_data_key_id, refresh_ciphertext) in (0, 2))`);
    await runner.query(`
      grant update (checked_at, refresh_data_key_id, refresh_ciphertext) on federated_identities to wharf_auth`);
    await runner.query(`
      alter table identity_providers drop constraint identity_providers_sign_in_again_hours_check,
        add check (sign_in_again_hours between 1 and 720)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table identity_providers no force row level security`);
    await runner.query(`update identity_providers set sign_in_again_hours = 24 where sign_in_again_hours < 24`);
    await runner.query(`alter table identity_providers force row level security`);
    await runner.query(`
      alter table identity_providers drop constraint identity_providers_sign_in_again_hours_check,
        add check (sign_in_again_hours between 24 and 720)`);
    await runner.query(`
      alter table federated_identities drop column checked_at, drop column refresh_data_key_id,
        drop column refresh_ciphertext`);
  }
}
