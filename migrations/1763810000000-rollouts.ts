import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampTenantTable } from './support/tenant-table.js';

const TABLES = `
alter table releases drop constraint releases_state_check;
alter table releases add constraint releases_state_check
  check (state in ('ready', 'publishing', 'candidate', 'live', 'superseded', 'rejected'));
alter table releases add column withdrawn_at timestamptz;
create index releases_withdrawn on releases (tenant_id, server_id, withdrawn_at) where withdrawn_at is not null;
alter table outbox add column due_at timestamptz;
create table rollouts (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  server_id uuid not null,
  stable_release_id uuid not null,
  candidate_release_id uuid not null,
  strategy text not null check (strategy in ('blue-green', 'canary', 'shadow')),
  steps jsonb not null,
  drain_seconds integer not null check (drain_seconds between 0 and 86400),
  previous_major_until timestamptz,
  tools text[] not null,
  read_only_tools text[] not null,
  state text not null
    check (state in ('checking', 'running', 'paused', 'draining', 'promoted', 'rolled_back', 'aborted', 'rejected')),
  step integer not null default 0,
  percent integer not null default 0 check (percent between 0 and 100),
  step_started_at timestamptz not null default now(),
  verdict jsonb,
  verdicts jsonb not null default '[]',
  reason text,
  created_by jsonb not null,
  created_at timestamptz not null default now(),
  ended_at timestamptz,
  primary key (tenant_id, id),
  foreign key (tenant_id, server_id) references servers (tenant_id, id) on delete cascade,
  foreign key (tenant_id, stable_release_id) references releases (tenant_id, id) on delete cascade,
  foreign key (tenant_id, candidate_release_id) references releases (tenant_id, id) on delete cascade
);
create unique index rollouts_open_key on rollouts (tenant_id, server_id)
  where state in ('checking', 'running', 'paused', 'draining');
create index rollouts_server on rollouts (tenant_id, server_id, id);
create index rollouts_candidate on rollouts (tenant_id, candidate_release_id);
create index rollouts_stable on rollouts (tenant_id, stable_release_id);
create trigger rollouts_changed after insert or delete or update of state, step on rollouts
  for each row execute function notify_tenant_change('tenant_id');
create table rollout_samples (
  tenant_id uuid not null references tenants (id),
  rollout_id uuid not null,
  step integer not null,
  release_id uuid not null,
  tool text not null,
  calls integer not null,
  errors integer not null,
  argument_failures integer not null,
  breaker_refusals integer not null,
  crashes integer not null,
  differences integer not null,
  latencies integer[] not null,
  primary key (tenant_id, rollout_id, step, release_id, tool),
  foreign key (tenant_id, rollout_id) references rollouts (tenant_id, id) on delete cascade
)`;

/** Rollouts bring a release to a server's callers step by step; what its calls were like is counted meanwhile. */
export class Rollouts1763810000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(TABLES);
    await stampTenantTable(runner, 'rollouts', {
      grants: {
        wharf_control: 'select, insert, update, delete',
        wharf_background: 'select, update',
        wharf_gateway: 'select',
      },
    });
    await stampTenantTable(runner, 'rollout_samples', {
      grants: {
        wharf_control: 'select, delete',
        wharf_background: 'select',
        wharf_gateway: 'select, insert, update',
      },
    });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop table rollout_samples;
      drop table rollouts;
      update releases set state = 'ready' where state = 'candidate';
      alter table releases drop constraint releases_state_check;
      alter table releases add constraint releases_state_check
        check (state in ('ready', 'publishing', 'live', 'superseded', 'rejected'));
      drop index releases_withdrawn;
      alter table releases drop column withdrawn_at;
      alter table outbox drop column due_at`);
  }
}
