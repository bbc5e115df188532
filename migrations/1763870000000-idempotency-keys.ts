import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampSharedTable, stampTenantTable } from './support/tenant-table.js';

/** Requests that named themselves, with what was answered, so that a repetition is answered and not done again. */
export class IdempotencyKeys1763870000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table idempotency_keys (
        tenant_id uuid not null references tenants (id),
        key_hash text not null check (key_hash ~ '^[0-9a-f]{64}$'),
        request_hash text not null check (request_hash ~ '^[0-9a-f]{64}$'),
        data_key_id uuid,
        answer bytea,
        created_at timestamptz not null default now(),
        expires_at timestamptz not null,
        primary key (tenant_id, key_hash),
        foreign key (tenant_id, data_key_id) references data_keys (tenant_id, id)
      )`);
    await runner.query(`create index idempotency_keys_expiry on idempotency_keys (expires_at)`);
    await stampTenantTable(runner, 'idempotency_keys', {
      grants: {
        wharf_control: 'select, insert, update, delete',
        // Retention finds what has expired; the answers are not its business.
        wharf_background: 'select (tenant_id, key_hash, expires_at), delete',
      },
      acrossTenants: [
        {
          role: 'wharf_background',
          commands: ['select', 'delete'],
          reason: 'retention deletes the expired keys of all tenants',
          whenNoTenant: true,
        },
      ],
    });
    await runner.query(`
      create table platform_idempotency_keys (
        key_hash text primary key check (key_hash ~ '^[0-9a-f]{64}$'),
        request_hash text not null check (request_hash ~ '^[0-9a-f]{64}$'),
        answer bytea,
        created_at timestamptz not null default now(),
        expires_at timestamptz not null
      )`);
    await runner.query(`create index platform_idempotency_keys_expiry on platform_idempotency_keys (expires_at)`);
    await stampSharedTable(
      runner,
      'platform_idempotency_keys',
      'callers without a tenant: operators, and who signs up',
      {
        wharf_control: 'select, insert, update, delete',
        wharf_background: 'select (key_hash, expires_at), delete',
      },
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table platform_idempotency_keys`);
    await runner.query(`drop table idempotency_keys`);
  }
}
