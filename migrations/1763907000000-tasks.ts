import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampTenantTable } from './support/tenant-table.js';

/** Tasks of agents' calls: whose they are, where they run, and what came of them, sealed with the tenant's data key. */
export class Tasks1763907000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table tasks (
        tenant_id uuid not null references tenants (id),
        id uuid not null,
        principal text not null check (length(principal) <= 4096),
        task_id text not null check (length(task_id) <= 512),
        name_hash bytea not null,
        server text not null,
        tool text not null,
        access text not null check (access in ('read', 'write')),
        tenant_slug text not null,
        mounts jsonb not null,
        view text,
        created_at timestamptz not null default now(),
        expires_at timestamptz not null,
        poll_ms integer not null check (poll_ms between 1000 and 60000),
        look_at timestamptz,
        data_key_id uuid,
        answer bytea,
        primary key (tenant_id, id),
        foreign key (tenant_id, data_key_id) references data_keys (tenant_id, id),
        check ((answer is null) = (data_key_id is null))
      )`);
    await runner.query(`create unique index tasks_name on tasks (tenant_id, name_hash, server)`);
    await runner.query(`create index tasks_look on tasks (look_at) where look_at is not null`);
    await runner.query(`create index tasks_expiry on tasks (expires_at)`);
    await stampTenantTable(runner, 'tasks', {
      grants: { wharf_gateway: 'select, insert, update, delete' },
      acrossTenants: [
        {
          role: 'wharf_gateway',
          commands: ['select', 'update', 'delete'],
          reason: 'gateways look after the running tasks of all tenants and delete those whose time is over',
          whenNoTenant: true,
        },
      ],
    });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table tasks`);
  }
}
