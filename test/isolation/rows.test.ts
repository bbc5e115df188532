import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Database, newId, type DatabaseRole } from '#libs/database';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';

/**
 * For every tenant table that PostgreSQL knows: one row of tenant A, then tenant B tries to read, change, delete and
 * forge it through every role that has a grant. New tables are tried without anybody remembering to.
 */
let database: TestDatabase;
let owner: Client;
let tables: string[];
const doors = new Map<DatabaseRole, Database>();
const ROLES = [
  'wharf_auth',
  'wharf_control',
  'wharf_gateway',
  'wharf_background',
] as const satisfies readonly DatabaseRole[];
const a = newId();
const b = newId();
const release = newId();
const server = newId();
const account = newId();
const dataKey = newId();
const rollout = newId();
const digest = `sha256:${'0'.repeat(64)}`;

/** A valid row of tenant A in every table, in the order the references need. */
const ROWS: Record<string, Record<string, unknown>> = {
  tenants: { id: a, slug: 'tenant-a', name: 'canary-a' },
  members: { tenant_id: a, account_id: account, role: 'owner' },
  api_keys: { tenant_id: a, id: newId(), name: 'canary-a', key_hash: 'h', prefix: 'p', scopes: ['mcp'] },
  blobs: { tenant_id: a, digest, media_type: 'text/plain', bytes: 1, content: Buffer.from('a') },
  servers: { tenant_id: a, id: server, slug: 'books', name: 'canary-a' },
  releases: {
    tenant_id: a,
    id: release,
    server_id: server,
    number: 1,
    kind: 'http',
    digest,
    state: 'ready',
    report: '{}',
    created_by: '{}',
  },
  rollouts: {
    tenant_id: a,
    id: rollout,
    server_id: server,
    stable_release_id: release,
    candidate_release_id: release,
    strategy: 'canary',
    steps: '[]',
    drain_seconds: 0,
    tools: ['canary-a'],
    read_only_tools: [],
    state: 'running',
    created_by: '{}',
  },
  rollout_samples: {
    tenant_id: a,
    rollout_id: rollout,
    step: 0,
    release_id: release,
    tool: 'canary-a',
    calls: 1,
    errors: 0,
    argument_failures: 0,
    breaker_refusals: 0,
    crashes: 0,
    differences: 0,
    latencies: [1],
  },
  data_keys: { tenant_id: a, id: dataKey, wrapped: Buffer.from('k'), wrapping_key_id: 'w' },
  secrets: { tenant_id: a, name: 'token', version: 1, data_key_id: dataKey, ciphertext: Buffer.from('c') },
  egress_allowances: { tenant_id: a, id: newId(), host: '127.0.0.1', port: 1, reason: 'canary-a' },
  outbox: { tenant_id: a, id: newId(), queue: 'releases', name: 'n', payload: '{}', attempts_max: 1 },
  grants: {
    tenant_id: a,
    id: '0'.repeat(64),
    account_id: account,
    client_id: 'c',
    resource: 'canary-a',
    scope: 'mcp',
    expires_at: new Date(),
  },
  clients: {
    tenant_id: a,
    id: 'canary-a',
    kind: 'public',
    name: 'n',
    auth_method: 'none',
    redirect_uris: '{}',
    scopes: '{}',
  },
  audit_log: {
    tenant_id: a,
    id: newId(),
    leaf_index: 0,
    at: new Date(),
    event: 'e',
    actor: '{}',
    target: 'canary-a',
    outcome: 'o',
    details: '{}',
  },
  audit_trees: { tenant_id: a, size: 1 },
  audit_tiles: { tenant_id: a, level: 0, tile_index: 0, hashes: Buffer.alloc(32) },
  audit_checkpoints: { tenant_id: a, size: 1, root: Buffer.alloc(32), note: 'canary-a' },
  audit_archives: { tenant_id: a, first_leaf: 0, end_leaf: 1, digest, bytes: 1, content: Buffer.from('canary-a') },
  person_keys: { tenant_id: a, person_id: 'canary-a', salt: Buffer.from('s') },
  audit_records: { tenant_id: a, id: newId(), at: new Date(), event: 'e', actor: '{}', target: 't', outcome: 'o' },
};

beforeAll(async () => {
  database = await testDatabase();
  owner = new Client({ connectionString: database.databaseUrl });
  await owner.connect();
  const { rows } = await owner.query<{ name: string }>(
    `select relname as name from pg_class where relkind in ('r', 'p') and not relispartition
       and relnamespace = 'public'::regnamespace and relrowsecurity`,
  );
  tables = rows.map((row) => row.name);
  await owner.query(`insert into accounts (id, email, password_hash) values ($1, 'a@example.com', 'x')`, [account]);
  for (const [table, row] of Object.entries(ROWS)) await insert(table, row);
  await owner.query(`insert into tenants (id, slug, name) values ($1, 'tenant-b', 'b')`, [b]);
  for (const role of ROLES) doors.set(role, await Database.connect({ ...database, role, poolSize: 2 }));
});
afterAll(async () => {
  for (const door of doors.values()) await door.close();
  await owner.end();
  await database.drop();
});

async function insert(table: string, row: Record<string, unknown>): Promise<void> {
  const columns = Object.keys(row);
  await owner.query(
    `insert into ${table} (${columns.join(', ')}) values (${columns.map((_, index) => `$${index + 1}`).join(', ')})`,
    Object.values(row),
  );
}

async function canaries(table: string): Promise<string> {
  const column = table === 'tenants' ? 'id' : 'tenant_id';
  const { rows } = await owner.query(
    `select md5(string_agg(t::text, '|' order by t::text)) as sum from ${table} t where ${column} = $1`,
    [a],
  );
  return (rows[0] as { sum: string }).sum;
}

/** Rows that a role's policies let it read across tenants on purpose; the catalogue test lists these with reasons. */
const READS_ALL = new Set([
  'wharf_gateway tenants',
  'wharf_auth tenants',
  'wharf_auth grants',
  'wharf_background outbox',
]);
/** The same, in transactions without a tenant only. */
const READS_ALL_WITHOUT_TENANT = new Set([
  ...READS_ALL,
  'wharf_background audit_records',
  'wharf_background audit_trees',
]);
const WRITES_ALL = new Set(['wharf_background outbox']);

test('has a row to try for every tenant table', () => {
  expect(Object.keys(ROWS).sort()).toEqual([...tables].sort());
});

describe.each(Object.keys(ROWS))('%s', (table) => {
  const column = table === 'tenants' ? 'id' : 'tenant_id';

  test.each(ROLES)('shows nothing of A to B through %s', async (role) => {
    const seen = await doors
      .get(role)
      ?.asTenant(b, (tx) => tx.query(`select ${column} from ${table} where ${column} = $1`, [a]) as Promise<unknown[]>)
      .catch((error: Error) => (/permission denied/.test(error.message) ? [] : Promise.reject(error)));
    expect(seen).toHaveLength(READS_ALL.has(`${role} ${table}`) ? 1 : 0);
  });

  test.each(ROLES)('shows nothing without a tenant through %s', async (role) => {
    const seen = await doors
      .get(role)
      ?.asService((tx) => tx.query(`select ${column} from ${table}`) as Promise<unknown[]>)
      .catch((error: Error) => (/permission denied/.test(error.message) ? [] : Promise.reject(error)));
    expect((seen?.length ?? 0) > 0).toBe(READS_ALL_WITHOUT_TENANT.has(`${role} ${table}`));
  });

  test.each(ROLES)('lets B change, delete and forge nothing of A through %s', async (role) => {
    const before = await canaries(table);
    const row = ROWS[table] ?? {};
    const columns = Object.keys(row);
    const forge = `insert into ${table} (${columns.join(', ')}) values (${columns.map((_, index) => `$${index + 1}`).join(', ')})`;
    const attempts: Array<[string, unknown[]]> = [
      [`update ${table} set ${column} = $1 where ${column} = $2`, [b, a]],
      [`delete from ${table} where ${column} = $1`, [a]],
      [forge, Object.values(row)],
    ];
    for (const [sql, parameters] of WRITES_ALL.has(`${role} ${table}`) ? [] : attempts) {
      await doors
        .get(role)
        ?.asTenant(b, (tx) => tx.query(sql, parameters))
        .catch(() => undefined);
    }
    expect(await canaries(table)).toBe(before);
  });
});
