import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampTenantTable } from './support/tenant-table.js';

/** Synthetic calls of a tenant, when each is due, and what came of every run. */
export class Probes1763776000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table probes (
        tenant_id uuid not null references tenants (id),
        id uuid not null,
        server_id uuid not null,
        name text not null,
        tool text not null,
        arguments jsonb not null,
        expect jsonb not null,
        allow_effects boolean not null,
        enabled boolean not null default true,
        every_seconds integer check (every_seconds between 60 and 86400),
        due_at timestamptz,
        state text not null default 'unknown' check (state in ('unknown', 'passing', 'failing')),
        created_at timestamptz not null default now(),
        primary key (tenant_id, id),
        constraint probes_name_key unique (tenant_id, server_id, name),
        foreign key (tenant_id, server_id) references servers (tenant_id, id) on delete cascade
      )`);
    await runner.query(`create index probes_due on probes (due_at) where enabled and due_at is not null`);
    await runner.query(`
      create table probe_results (
        tenant_id uuid not null references tenants (id),
        id uuid not null,
        probe_id uuid not null,
        release_id uuid not null,
        job_id uuid not null,
        at timestamptz not null default now(),
        cause text not null check (cause in ('publish', 'request', 'schedule')),
        passed boolean not null,
        reason text,
        latency_ms integer not null,
        result_digest text,
        diverged boolean not null,
        primary key (tenant_id, id),
        constraint probe_results_run_key unique (tenant_id, job_id, probe_id, release_id),
        foreign key (tenant_id, probe_id) references probes (tenant_id, id) on delete cascade,
        foreign key (tenant_id, release_id) references releases (tenant_id, id) on delete cascade
      )`);
    await runner.query(`create index probe_results_of_probe on probe_results (tenant_id, probe_id, id)`);
    await runner.query(`create index probe_results_of_release on probe_results (tenant_id, release_id, at)`);
    await runner.query(`create index probe_results_at on probe_results (at)`);
    await this.#stamp(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table probe_results`);
    await runner.query(`drop table probes`);
  }

  async #stamp(runner: QueryRunner): Promise<void> {
    await stampTenantTable(runner, 'probes', {
      grants: { wharf_control: 'select, insert, update, delete', wharf_background: 'select, update' },
      acrossTenants: [
        {
          role: 'wharf_background',
          commands: ['select'],
          reason: 'one clock finds the probes of all tenants that are due',
          whenNoTenant: true,
        },
      ],
    });
    await stampTenantTable(runner, 'probe_results', {
      grants: { wharf_control: 'select', wharf_background: 'select, insert, update, delete' },
      acrossTenants: [
        {
          role: 'wharf_background',
          commands: ['select', 'delete'],
          reason: 'results of all tenants are deleted when their time is over',
          whenNoTenant: true,
        },
      ],
    });
  }
}
