import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampTenantTable } from './support/tenant-table.js';

/** Tenants register OAuth clients of their own: apps that people sign in with, and machine agents. */
export class Clients1763740000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table clients (
        tenant_id uuid not null references tenants (id),
        id text not null,
        kind text not null check (kind in ('public', 'confidential', 'machine')),
        name text not null,
        auth_method text not null
          check (auth_method in ('none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt')),
        redirect_uris text[] not null,
        scopes text[] not null,
        key_set jsonb,
        key_set_url text,
        secret_hash text check (secret_hash ~ '^[0-9a-f]{64}$'),
        previous_secret_hash text check (previous_secret_hash ~ '^[0-9a-f]{64}$'),
        previous_secret_expires_at timestamptz,
        enabled boolean not null default true,
        created_at timestamptz not null default now(),
        last_used_at timestamptz,
        primary key (tenant_id, id),
        check ((auth_method = 'none') = (kind = 'public')),
        check ((auth_method like 'client_secret_%') = (secret_hash is not null)),
        check ((auth_method = 'private_key_jwt') = (num_nonnulls(key_set, key_set_url) = 1)),
        check ((previous_secret_hash is null) = (previous_secret_expires_at is null))
      )`);
    await stampTenantTable(runner, 'clients', {
      grants: {
        wharf_control: 'select, insert, update, delete',
        wharf_auth: 'select, update (last_used_at)',
        wharf_gateway: 'select (tenant_id, id, enabled)',
      },
    });
    await runner.query(`
      create trigger clients_changed after delete or update of enabled on clients
        for each row execute function notify_tenant_change('tenant_id')`);
    // Deleting a client ends what it holds for people.
    await runner.query(`grant update (revoked_at) on grants to wharf_control`);
    await runner.query(`create index grants_client on grants (tenant_id, client_id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop index grants_client`);
    await runner.query(`revoke update (revoked_at) on grants from wharf_control`);
    await runner.query(`drop table clients`);
  }
}
