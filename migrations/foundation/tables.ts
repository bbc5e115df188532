/** Tables, keys and indexes of the first schema, in the order their references need. */
export const TABLES = `
create table installation (
  singleton boolean primary key default true check (singleton),
  master_key_id text not null,
  created_at timestamptz not null default now()
);

create table plans (
  name text primary key check (name ~ '^[a-z][a-z0-9-]{0,31}$'),
  calls_per_minute integer not null check (calls_per_minute > 0),
  concurrent_calls integer not null check (concurrent_calls > 0),
  servers_max integer not null check (servers_max > 0),
  worker_memory_mb integer not null check (worker_memory_mb between 64 and 4096),
  created_at timestamptz not null default now()
);
insert into plans (name, calls_per_minute, concurrent_calls, servers_max, worker_memory_mb) values
  ('free', 600, 32, 10, 256), ('team', 6000, 128, 50, 256), ('scale', 60000, 512, 200, 512);

create table tenants (
  id uuid primary key,
  slug text not null constraint tenants_slug_key unique check (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
  name text not null,
  status text not null default 'active' check (status in ('active', 'suspended')),
  status_reason text,
  plan text not null default 'free' references plans (name),
  created_at timestamptz not null default now()
);

create table accounts (
  id uuid primary key,
  email text not null constraint accounts_email_key unique check (email = lower(email)),
  password_hash text not null,
  created_at timestamptz not null default now()
);

create table operators (
  id uuid primary key,
  name text not null,
  key_hash text not null unique,
  created_at timestamptz not null default now()
);

create table operator_actions (
  id uuid primary key default gen_random_uuid(),
  at timestamptz not null default now(),
  operator_id uuid not null references operators (id),
  action text not null,
  reason text not null check (length(reason) between 1 and 1000),
  tenant_id uuid,
  details jsonb not null default '{}'
);

create table signing_keys (
  kid text primary key,
  alg text not null,
  public_jwk jsonb not null,
  private_jwk bytea not null,
  created_at timestamptz not null default now(),
  retires_at timestamptz
);

create table oauth_artifacts (
  model text not null,
  id_hash text not null,
  payload jsonb not null,
  grant_id text,
  uid text,
  user_code text,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  consumed_at timestamptz,
  primary key (model, id_hash)
);
create index oauth_artifacts_grant on oauth_artifacts (grant_id) where grant_id is not null;
create unique index oauth_artifacts_uid on oauth_artifacts (model, uid) where uid is not null;
create index oauth_artifacts_expiry on oauth_artifacts (expires_at) where expires_at is not null;

create table members (
  tenant_id uuid not null references tenants (id),
  account_id uuid not null references accounts (id),
  role text not null check (role in ('owner', 'admin', 'developer', 'auditor', 'user')),
  created_at timestamptz not null default now(),
  primary key (tenant_id, account_id)
);

create table api_keys (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  name text not null,
  key_hash text not null,
  prefix text not null,
  scopes text[] not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, key_hash)
);

create table blobs (
  tenant_id uuid not null references tenants (id),
  digest text not null check (digest ~ '^sha256:[0-9a-f]{64}$'),
  media_type text not null,
  bytes integer not null,
  content bytea not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, digest)
);

create table servers (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  slug text not null check (slug ~ '^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$'),
  name text not null,
  live_release_id uuid,
  previous_release_id uuid,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  constraint servers_slug_key unique (tenant_id, slug)
);

create table releases (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  server_id uuid not null,
  number integer not null,
  kind text not null,
  digest text not null,
  state text not null check (state in ('ready', 'publishing', 'live', 'superseded', 'rejected')),
  report jsonb not null,
  rejection jsonb,
  created_by jsonb not null,
  created_at timestamptz not null default now(),
  published_at timestamptz,
  primary key (tenant_id, id),
  constraint releases_number_key unique (tenant_id, server_id, number),
  foreign key (tenant_id, server_id) references servers (tenant_id, id) on delete cascade,
  foreign key (tenant_id, digest) references blobs (tenant_id, digest)
);
create index releases_digest on releases (tenant_id, digest);
alter table servers add foreign key (tenant_id, live_release_id) references releases (tenant_id, id) on delete restrict deferrable initially deferred;
alter table servers add foreign key (tenant_id, previous_release_id) references releases (tenant_id, id) on delete restrict deferrable initially deferred;

create table data_keys (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  wrapped bytea not null,
  wrapping_key_id text not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id)
);

create table secrets (
  tenant_id uuid not null references tenants (id),
  name text not null check (name ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
  version integer not null,
  data_key_id uuid not null,
  ciphertext bytea not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, name),
  foreign key (tenant_id, data_key_id) references data_keys (tenant_id, id)
);

create table egress_allowances (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  host text not null,
  port integer not null check (port between 1 and 65535),
  reason text not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, host, port)
);

create table outbox (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  queue text not null,
  name text not null,
  payload jsonb not null,
  attempts_max integer not null,
  created_at timestamptz not null default now(),
  dispatched_at timestamptz,
  completed_at timestamptz,
  failure text,
  primary key (tenant_id, id)
);
create index outbox_open on outbox (created_at) where completed_at is null;

create table audit_records (
  tenant_id uuid not null references tenants (id),
  id uuid not null,
  at timestamptz not null,
  event text not null,
  actor jsonb not null,
  target text not null,
  outcome text not null,
  details jsonb not null default '{}',
  source_address text,
  trace_id text,
  recorded_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
create index audit_records_event on audit_records (tenant_id, event, id);
create index audit_records_target on audit_records (tenant_id, target, id);
`;
