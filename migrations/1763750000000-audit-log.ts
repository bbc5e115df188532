import type { MigrationInterface, QueryRunner } from 'typeorm';
import { CURRENT_TENANT, stampSharedTable, stampTenantTable } from './support/tenant-table.js';

const TABLES = `
create table audit_log (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  leaf_index bigint not null,
  at timestamptz not null,
  event text not null,
  actor jsonb not null,
  target text not null,
  outcome text not null,
  details jsonb not null,
  personal bytea,
  source_address text,
  trace_id text,
  primary key (tenant_id, id)
) partition by range (id);
create index audit_log_leaf on audit_log (tenant_id, leaf_index);
create index audit_log_event on audit_log (tenant_id, event, id);
create index audit_log_target on audit_log (tenant_id, target, id);
create table audit_log_before partition of audit_log default;

create table audit_trees (
  tenant_id uuid primary key references tenants (id),
  size bigint not null,
  checkpoint_size bigint not null default 0,
  grown_at timestamptz not null default now(),
  checkpoint_at timestamptz not null default now()
);
create index audit_trees_unsigned on audit_trees (checkpoint_at) where size > checkpoint_size;

create table audit_tiles (
  tenant_id uuid not null references tenants (id),
  level smallint not null,
  tile_index bigint not null,
  hashes bytea not null check (length(hashes) between 32 and 8192 and length(hashes) % 32 = 0),
  primary key (tenant_id, level, tile_index)
);

create table audit_checkpoints (
  tenant_id uuid not null references tenants (id),
  size bigint not null,
  root bytea not null,
  note text not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, size)
);

create table person_keys (
  tenant_id uuid not null references tenants (id),
  person_id text not null,
  salt bytea not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, person_id)
);

create table audit_keys (
  id uuid primary key,
  public_key bytea not null,
  sealed bytea not null,
  created_at timestamptz not null default now()
);
`;

const TRIGGERS = `
drop trigger audit_records_append_only on audit_records;
create trigger audit_records_unchangeable before update or truncate on audit_records
  for each statement execute function refuse_change();
create function refuse_loss() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
  if not exists (select from public.audit_log l where l.tenant_id = old.tenant_id and l.id = old.id) then
    raise exception 'an audit record leaves its arrivals only for the log';
  end if;
  return old;
end $$;
create trigger audit_records_kept before delete on audit_records for each row execute function refuse_loss();
create trigger audit_log_append_only before update or delete or truncate on audit_log
  for each statement execute function refuse_change();
create trigger audit_checkpoints_append_only before update or delete or truncate on audit_checkpoints
  for each statement execute function refuse_change();
drop index audit_records_event;
drop index audit_records_target;
`;

/** Audit records arrive in one table and are kept, numbered and in a Merkle tree, in another, by months. */
export class AuditLog1763750000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(TABLES);
    await runner.query(TRIGGERS);
    await stampArrivals(runner);
    await stampTenantTable(runner, 'audit_log', {
      grants: { wharf_control: 'select', wharf_background: 'select, insert' },
    });
    await stampTenantTable(runner, 'audit_trees', {
      grants: { wharf_control: 'select', wharf_background: 'select, insert, update' },
      acrossTenants: [
        {
          role: 'wharf_background',
          commands: ['select'],
          reason: 'finds the trees that need a checkpoint',
          whenNoTenant: true,
        },
      ],
    });
    await stampTenantTable(runner, 'audit_tiles', {
      grants: { wharf_control: 'select', wharf_background: 'select, insert, update' },
    });
    await stampTenantTable(runner, 'audit_checkpoints', {
      grants: { wharf_control: 'select', wharf_background: 'select, insert' },
    });
    await stampTenantTable(runner, 'person_keys', {
      grants: { wharf_control: 'select, delete', wharf_background: 'select, insert' },
    });
    await stampSharedTable(runner, 'audit_keys', 'one installation signs the checkpoints of all tenants', {
      wharf_background: 'select, insert',
      wharf_control: 'select (id, public_key, created_at)',
    });
  }

  async down(): Promise<void> {
    throw new Error('An audit log is not taken apart again: restore a backup instead.');
  }
}

async function stampArrivals(runner: QueryRunner): Promise<void> {
  await runner.query(`grant delete on audit_records to wharf_background`);
  const policy = 'audit_records_wharf_background_select';
  await runner.query(
    `create policy ${policy} on audit_records for select to wharf_background using (${CURRENT_TENANT} is null)`,
  );
  await runner.query(`comment on policy ${policy} on audit_records is 'finds the tenants whose records have arrived'`);
}
