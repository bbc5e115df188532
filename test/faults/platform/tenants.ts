import { randomBytes } from 'node:crypto';
import { newId } from '#libs/database';
import { mintApiKey } from '#libs/identity';
import { canonicalJson, sha256Digest, type Manifest } from '#libs/protocol';
import { Client } from 'pg';
import type { Upstreams } from '../traffic/upstream.js';

/** How safe a plan keeps its calls' records; each has a tenant. */
const MODES = ['process', 'disk', 'database'] as const;

const SICK_TIMEOUT_MS = 3_000;
const TIMEOUT_MS = 10_000;

/** A tenant with the tools `note` and `note_slowly`, and one for each upstream that falls sick. */
export interface StageTenant {
  readonly slug: string;
  /** The path of its server's URL. */
  readonly path: string;
  readonly key: string;
  /** A key for the management API. */
  readonly managementKey: string;
  /** What its answers hold, and no other tenant's. */
  readonly mark: string;
}

/** How a tenant is named, and how safe its plan keeps its calls' records. */
export interface NewTenant {
  readonly slug: string;
  readonly mode: (typeof MODES)[number];
}

/** How the mark begins of the tenant whose calls are answered when their record is committed. */
export const RECORDED_FIRST = 'canary-database-';

/** A tenant of each mode. */
export const ONE_OF_EACH: readonly NewTenant[] = MODES.map((mode) => ({ slug: mode, mode }));

/** Makes tenants, straight in the database. */
export async function provideTenants(
  databaseUrl: string,
  upstreams: Upstreams,
  wanted: readonly NewTenant[],
): Promise<StageTenant[]> {
  const owner = new Client({ connectionString: databaseUrl });
  await owner.connect();
  const tenants: StageTenant[] = [];
  for (const each of wanted) tenants.push(await provideTenant(owner, each, upstreams));
  await owner.end();
  return tenants;
}

async function provideTenant(owner: Client, { slug, mode }: NewTenant, upstreams: Upstreams): Promise<StageTenant> {
  const [tenantId, serverId, releaseId] = [newId(), newId(), newId()];
  const mark = `canary-${slug}-${randomBytes(4).toString('hex')}`;
  const manifest = manifestOf(mark, upstreams);
  const bytes = Buffer.from(canonicalJson(manifest));
  const digest = sha256Digest(bytes);
  const [key, management] = [mintApiKey(tenantId), mintApiKey(tenantId)];
  const tools = Object.fromEntries(manifest.tools.map(({ name }) => [name, 'write']));
  const rows: ReadonlyArray<readonly [string, readonly unknown[]]> = [
    [
      `insert into plans (name, calls_per_minute, concurrent_calls, servers_max, worker_memory_mb, audit_mode)
       values ($1, 1000000, 1000, 5, 256, $2)`,
      [slug, mode],
    ],
    [`insert into tenants (id, slug, name, plan) values ($1, $2, 'T', $2)`, [tenantId, slug]],
    [
      `insert into servers (tenant_id, id, slug, name, writes) values ($1, $2, 'notes', 'N', true)`,
      [tenantId, serverId],
    ],
    [
      `insert into blobs (tenant_id, digest, media_type, bytes, content) values ($1, $2, 'application/json', $3, $4)`,
      [tenantId, digest, bytes.length, bytes],
    ],
    [
      `insert into releases (tenant_id, id, server_id, number, kind, digest, state, report, created_by, tools)
       values ($1, $2, $3, 1, 'http', $4, 'live', '{}', '{}', $5)`,
      [tenantId, releaseId, serverId, digest, JSON.stringify(tools)],
    ],
    [`update servers set live_release_id = $2 where tenant_id = $1`, [tenantId, releaseId]],
    [
      `insert into api_keys (tenant_id, id, name, key_hash, prefix, scopes)
       values ($1, $2, 'calls', $3, $4, '{mcp}'), ($1, $5, 'management', $6, $7, '{management}')`,
      [tenantId, newId(), key.hash, key.prefix, newId(), management.hash, management.prefix],
    ],
    ...[upstreams.well, ...upstreams.sick.map(({ origin }) => origin)].map(
      (origin) =>
        [
          `insert into egress_allowances (tenant_id, id, host, port, reason) values ($1, $2, 'localhost', $3, 'test')`,
          [tenantId, newId(), Number(new URL(origin).port)],
        ] as const,
    ),
  ];
  for (const [statement, values] of rows) await owner.query(statement, [...values]);
  return { slug, path: `/t/${slug}/notes/mcp`, key: key.text, managementKey: management.text, mark };
}

function manifestOf(mark: string, { well, sick }: Upstreams): Manifest {
  const tool = (name: string, origin: string, timeoutMs: number, place = 'note'): Manifest['tools'][number] => ({
    name,
    description: 'Notes a text.',
    inputSchema: { type: 'object', properties: { text: { type: 'string' } } },
    http: {
      method: 'POST',
      urlTemplate: `${origin}/${mark}/${place}`,
      placements: [{ argument: 'text', in: 'query', name: 'text' }],
      headers: {},
      credentials: [],
      timeoutMs,
    },
  });
  return {
    version: 1,
    kind: 'http',
    server: { name: 'notes' },
    origins: [well, ...sick.map(({ origin }) => origin)],
    credentials: [],
    tools: [
      tool('note', well, TIMEOUT_MS),
      tool('note_slowly', well, TIMEOUT_MS, 'slow'),
      ...sick.map(({ tool: name, origin }) => tool(name, origin, SICK_TIMEOUT_MS)),
    ],
  };
}
