import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampTenantTable } from './support/tenant-table.js';

const TABLES = `
alter table releases add column source json;
create table drift_watches (
  tenant_id uuid not null references tenants (id),
  server_id uuid not null,
  policy text not null default 'approve' check (policy in ('auto', 'approve', 'reject')),
  due_at timestamptz not null default now() + random() * interval '10 minutes',
  hinted_looks integer not null default 0,
  checked_at timestamptz,
  outcome text check (outcome in ('same', 'drifted', 'unreachable', 'unusable', 'flapping', 'unknown')),
  detail text,
  primary key (tenant_id, server_id),
  foreign key (tenant_id, server_id) references servers (tenant_id, id) on delete cascade
);
create index drift_watches_due on drift_watches (due_at);
create table drift_candidates (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  server_id uuid not null,
  base_release_id uuid not null,
  release_id uuid,
  fingerprint text not null,
  state text not null
    check (state in ('pending', 'queued', 'rolling_out', 'refused', 'superseded', 'withdrawn', 'unusable')),
  effect text check (effect in ('none', 'wording', 'compatible', 'breaking')),
  summary jsonb,
  problems jsonb,
  reason text,
  decided_by jsonb,
  decided_at timestamptz,
  rollout_id uuid,
  found_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  primary key (tenant_id, id),
  constraint drift_candidates_fingerprint_key unique (tenant_id, server_id, base_release_id, fingerprint),
  foreign key (tenant_id, server_id) references servers (tenant_id, id) on delete cascade,
  foreign key (tenant_id, base_release_id) references releases (tenant_id, id) on delete cascade,
  foreign key (tenant_id, release_id) references releases (tenant_id, id) on delete cascade,
  foreign key (tenant_id, rollout_id) references rollouts (tenant_id, id) on delete cascade
);
create index drift_candidates_of_server on drift_candidates (tenant_id, server_id, id);
create index drift_candidates_queued on drift_candidates (found_at) where state = 'queued';
`;

const CLOCK = 'one clock finds what is due of all tenants';

/** What releases were built from, and what came of holding them against their upstream servers. */
export class Drift1763902000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(TABLES);
    await runner.query(`grant insert on releases, blobs, rollouts to wharf_background`);
    for (const table of ['drift_watches', 'drift_candidates'])
      await stampTenantTable(runner, table, {
        grants: {
          wharf_control: 'select, insert, update, delete',
          wharf_background: table === 'drift_watches' ? 'select, update' : 'select, insert, update, delete',
        },
        acrossTenants: [{ role: 'wharf_background', commands: ['select'], reason: CLOCK, whenNoTenant: true }],
      });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop table drift_candidates;
      drop table drift_watches;
      revoke insert on releases, blobs, rollouts from wharf_background;
      alter table releases drop column source`);
  }
}
