import type { MigrationInterface, QueryRunner } from 'typeorm';
import { stampSharedTable } from './support/tenant-table.js';

const TABLES = `
create table tenant_imports (
  id uuid primary key,
  state text not null default 'uploading'
    check (state in ('uploading', 'waiting', 'checking', 'writing', 'done', 'failed', 'cancelled')),
  -- Of the archive, as whoever uploads it says; compared before anything else is looked at.
  bytes bigint not null check (bytes between 1 and 21474836480),
  digest text not null check (digest ~ '^sha256:[0-9a-f]{64}$'),
  trusted text[] not null check (cardinality(trusted) between 1 and 20),
  -- What the operator decides; nothing of it is believed of the archive.
  slug text,
  plan text not null references plans (name),
  home_region text check (home_region ~ '^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$'),
  reason text not null check (length(reason) between 1 and 1000),
  requested_by uuid not null,
  -- What opens the archive's secrets, sealed under the master key until the import has ended.
  sealed bytea,
  root_key_id text,
  progress jsonb not null default '{}',
  failure text,
  imported_id uuid,
  imported_slug text,
  attempts integer not null default 0,
  -- Whose run it is, and until when nobody else takes it.
  run_id uuid,
  run_until timestamptz,
  created_at timestamptz not null default now(),
  ended_at timestamptz,
  expires_at timestamptz not null default now() + interval '1 day',
  check ((sealed is null) = (root_key_id is null))
);
create unique index tenant_imports_single on tenant_imports ((true)) where state in ('waiting', 'checking', 'writing');
create table tenant_import_parts (
  import_id uuid not null references tenant_imports (id) on delete cascade,
  number integer not null check (number between 0 and 5119),
  digest text not null,
  bytes integer not null check (bytes between 1 and 4194304),
  content bytea not null,
  primary key (import_id, number)
)`;

/** Tables of which a tenant brings rows along. */
const BROUGHT = [
  'tenants',
  'members',
  'api_keys',
  'clients',
  'identity_providers',
  'connectors',
  'data_keys',
  'secrets',
  'blobs',
  'servers',
  'server_people',
  'releases',
  'server_majors',
  'rollouts',
  'rollout_samples',
  'drift_watches',
  'drift_candidates',
  'probes',
  'probe_results',
  'profiles',
  'documents',
  'webhooks',
  'policies',
  'call_limits',
  'call_rollups',
  'usage_hours',
  'usage_months',
  'tenant_feature_flags',
  'registry_entries',
  'imported_audit_files',
  'audit_records',
];

/** Archives of tenants that operators upload, and what the role of tenants' life cycles needs to bring one in. */
export class TenantImports1763952000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(TABLES);
    await stampSharedTable(runner, 'tenant_imports', 'an import is the platform’s: its tenant is not there yet', {
      wharf_operator: 'select, insert, update (state, sealed, root_key_id, failure, ended_at)',
      wharf_background:
        'select, update (state, progress, failure, attempts, run_id, run_until, sealed, root_key_id, ended_at)',
      wharf_life_cycle:
        'select (id, state, run_id), update (state, imported_id, imported_slug, ended_at, sealed, root_key_id)',
    });
    await stampSharedTable(runner, 'tenant_import_parts', 'bytes of an archive whose tenant is not there yet', {
      wharf_operator: 'select (import_id, number, digest, bytes), insert, delete',
      wharf_background: 'select, delete',
    });
    await runner.query(`
      grant insert on ${BROUGHT.join(', ')} to wharf_life_cycle;
      grant update (state, ended_at, percent, reason) on rollouts to wharf_life_cycle;
      grant update (state) on releases to wharf_life_cycle`);
    await letPeopleIn(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop table tenant_import_parts, tenant_imports;
      drop trigger accounts_taken on accounts;
      drop trigger oauth_artifacts_taken on oauth_artifacts;
      drop function keep_confirmed_accounts();
      revoke insert (id, email, password_hash), update (password_hash, sessions_ended_at) on accounts from wharf_life_cycle;
      revoke select (account_id), delete on oauth_artifacts from wharf_life_cycle;
      revoke update (state, ended_at, percent, reason) on rollouts from wharf_life_cycle;
      revoke update (state) on releases from wharf_life_cycle;
      revoke insert on ${BROUGHT.join(', ')} from wharf_life_cycle`);
  }
}

/** People come in with a tenant; whoever has confirmed their address keeps their account as it is. */
async function letPeopleIn(runner: QueryRunner): Promise<void> {
  await runner.query(`
    grant insert (id, email, password_hash), update (password_hash, sessions_ended_at) on accounts to wharf_life_cycle;
    grant select (account_id), delete on oauth_artifacts to wharf_life_cycle;
    create function keep_confirmed_accounts() returns trigger language plpgsql set search_path = pg_catalog as $$
    declare account uuid;
    begin
      account := case tg_table_name when 'accounts' then to_jsonb(old) ->> 'id' else to_jsonb(old) ->> 'account_id' end;
      if not exists (select from public.accounts a where a.id = account and a.email_verified_at is null) then
        raise exception 'only an account whose address nobody has confirmed is taken from whoever opened it' using errcode = '42501';
      end if;
      return case tg_op when 'DELETE' then old else new end;
    end $$;
    create trigger accounts_taken before update on accounts for each row
      when (current_user = 'wharf_life_cycle') execute function keep_confirmed_accounts();
    create trigger oauth_artifacts_taken before delete on oauth_artifacts for each row
      when (current_user = 'wharf_life_cycle') execute function keep_confirmed_accounts()`);
}
