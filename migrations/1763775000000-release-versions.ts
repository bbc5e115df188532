import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampTenantTable } from './support/tenant-table.js';

/** Releases may bear a semantic version, and the last release of an older major version stays reachable until a date. */
export class ReleaseVersions1763775000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table releases
        add column verification jsonb,
        add column version text check (length(version) <= 64),
        add column major integer generated always as (split_part(version, '.', 1)::integer) stored,
        add constraint releases_version_key unique (tenant_id, server_id, version)`);
    await runner.query(`
      create table server_majors (
        tenant_id uuid not null references tenants (id),
        server_id uuid not null,
        major integer not null check (major >= 0),
        release_id uuid not null,
        deprecated_at timestamptz not null default now(),
        served_until timestamptz not null,
        primary key (tenant_id, server_id, major),
        foreign key (tenant_id, server_id) references servers (tenant_id, id) on delete cascade,
        foreign key (tenant_id, release_id) references releases (tenant_id, id) on delete cascade
      )`);
    await runner.query(`create index server_majors_release on server_majors (tenant_id, release_id)`);
    await stampTenantTable(runner, 'server_majors', {
      grants: {
        wharf_auth: 'select',
        wharf_control: 'select, insert, update, delete',
        wharf_gateway: 'select',
        wharf_background: 'select, insert, update',
      },
    });
    await runner.query(`grant select (tenant_id, id, major) on releases to wharf_auth`);
    await runner.query(`create trigger server_majors_changed after insert or update or delete on server_majors
      for each row execute function notify_tenant_change('tenant_id')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table server_majors`);
    await runner.query(`alter table releases drop column major, drop column version, drop column verification`);
  }
}
