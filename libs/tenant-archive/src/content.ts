/** What becomes of a table's rows when their tenant is exported. */
export type Content =
  | { readonly kind: 'rows' }
  /** Under `audit/`, with its proofs. */
  | { readonly kind: 'audit' }
  | { readonly kind: 'left-out'; readonly reason: string };

const ROWS: Content = { kind: 'rows' };
const AUDIT: Content = { kind: 'audit' };
const leftOut = (reason: string): Content => ({ kind: 'left-out', reason });

const AGAIN = leftOut('is made again from what is exported');
const WORK = leftOut('work in hand at this installation, of minutes or days');
const LOGINS = leftOut('what was granted to agents and at upstreams for this installation; people sign in again');
const HERE = leftOut('what an operator decided at this installation');

/**
 * Every tenant table there is, and whether a tenant takes its rows along. A table that is not in here keeps every tenant
 * from being exported, so that none is forgotten.
 */
export const CONTENT: Readonly<Record<string, Content>> = {
  tenants: ROWS,
  members: ROWS,
  api_keys: ROWS,
  clients: ROWS,
  identity_providers: ROWS,
  connectors: ROWS,
  data_keys: ROWS,
  secrets: ROWS,
  secret_versions: ROWS,
  blobs: ROWS,
  servers: ROWS,
  server_people: ROWS,
  releases: ROWS,
  server_majors: ROWS,
  rollouts: ROWS,
  rollout_samples: ROWS,
  drift_watches: ROWS,
  drift_candidates: ROWS,
  probes: ROWS,
  probe_results: ROWS,
  profiles: ROWS,
  documents: ROWS,
  webhooks: ROWS,
  policies: ROWS,
  call_limits: ROWS,
  call_rollups: ROWS,
  usage_hours: ROWS,
  usage_months: ROWS,
  tenant_feature_flags: ROWS,
  registry_entries: ROWS,
  imported_audit_files: ROWS,
  audit_log: AUDIT,
  audit_records: AUDIT,
  audit_archives: AUDIT,
  audit_archive_chunks: AUDIT,
  audit_checkpoints: AUDIT,
  audit_tiles: AUDIT,
  audit_trees: AUDIT,
  person_keys: leftOut('keys of this installation: what is personal in records stays sealed under them'),
  document_words: AGAIN,
  document_usage: AGAIN,
  grants: LOGINS,
  connections: LOGINS,
  connection_endings: LOGINS,
  federated_identities: LOGINS,
  invitations: leftOut('their links lead to this installation'),
  egress_allowances: HERE,
  legal_holds: HERE,
  tenant_limits: HERE,
  impersonations: HERE,
  breaker_orders: HERE,
  tenant_deletions: HERE,
  tenant_exports: HERE,
  tenant_export_parts: HERE,
  approvals: WORK,
  connect_steps: WORK,
  idempotency_keys: WORK,
  outbox: WORK,
  past_members: WORK,
  tasks: WORK,
  unused_objects: WORK,
  webhook_deliveries: WORK,
};

/** Columns that are not in rows: bytes that have files of their own, and where this installation has them. */
export const COLUMNS_LEFT_OUT: Readonly<Record<string, readonly string[]>> = {
  blobs: ['content', 'object'],
  data_keys: ['wrapped', 'wrapping_key_id'],
  tenants: ['status', 'status_reason', 'deletion_due_at', 'home_region'],
};

/** Tables whose rows open with the tenant's data keys, and go only together with them. */
export const SEALED: ReadonlySet<string> = new Set([
  'data_keys',
  'secrets',
  'secret_versions',
  'identity_providers',
  'connectors',
  'webhooks',
]);
