import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampTenantTable } from './support/tenant-table.js';

/** Earlier versions of a secret are kept beside the one in use, sealed as they were, so that one can be put back. */
export class SecretVersions1763962100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table secrets add column written_by jsonb, add column restored_from integer;
      comment on column secrets.restored_from is 'the version whose value this one has';
      create table secret_versions (
        tenant_id uuid not null references tenants (id),
        name text not null,
        version integer not null,
        data_key_id uuid not null,
        ciphertext bytea not null,
        created_at timestamptz not null,
        written_by jsonb,
        restored_from integer,
        primary key (tenant_id, name, version),
        foreign key (tenant_id, name) references secrets (tenant_id, name) on delete cascade,
        foreign key (tenant_id, data_key_id) references data_keys (tenant_id, id)
      );
      create index secret_versions_data_key on secret_versions (tenant_id, data_key_id)`);
    await stampTenantTable(runner, 'secret_versions', {
      grants: { wharf_control: 'select, insert, delete' },
    });
    await runner.query(`
      grant select (tenant_id, name, version, data_key_id, ciphertext), update (data_key_id, ciphertext) on secret_versions
        to wharf_background;
      grant select (tenant_id, data_key_id) on secret_versions to wharf_operator;
      grant insert on secret_versions to wharf_life_cycle`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table secret_versions`);
    await runner.query(`alter table secrets drop column written_by, drop column restored_from`);
  }
}
