import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { newId } from '#libs/database';
import { freePort } from '#libs/embedded';
import { mintApiKey } from '#libs/identity';
import { canonicalJson, sha256Digest, type Manifest } from '#libs/protocol';
import { TEST_MASTER_KEY } from '#libs/testing';
import { migrate } from '#migrations';
import { Client } from 'pg';
import { KillablePostgres } from './killable-postgres.fixture.js';
import { KillableRedis } from './killable-redis.fixture.js';
import { KillableServices } from './killable-services.fixture.js';

/** How safe a plan keeps its calls' records; each has a tenant. */
export const MODES = ['process', 'disk', 'database'] as const;

/** A tenant with the tool `note`, which an upstream hears. */
export interface StageTenant {
  readonly url: string;
  readonly key: string;
}

/** The data plane as separate processes on a PostgreSQL and a Redis of their own, and an upstream that knows what it was asked. */
export interface Stage {
  readonly tenants: readonly StageTenant[];
  readonly services: KillableServices;
  readonly postgres: KillablePostgres;
  readonly redis: KillableRedis;
  /** Texts that the upstream has heard. */
  readonly heard: ReadonlySet<string>;
  stop(): Promise<void>;
}

/** Starts it. */
export async function startStage(): Promise<Stage> {
  const [postgres, redis, port] = await Promise.all([KillablePostgres.start(), KillableRedis.start(), freePort()]);
  const dataDir = mkdtempSync(path.join(tmpdir(), 'wharf-faults-data-'));
  await migrate(postgres.url, TEST_MASTER_KEY);
  const heard = new Set<string>();
  const upstream = createServer((request, response) => {
    const text = new URL(request.url ?? '', 'http://upstream').searchParams.get('text') ?? '';
    heard.add(text);
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ text }));
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const origin = `http://localhost:${port}`;
  const tenants = await provideTenants(postgres.url, origin, (upstream.address() as AddressInfo).port); // of a TCP server
  const services = await KillableServices.start(
    {
      NODE_ENV: 'test',
      DATABASE_URL: postgres.url,
      REDIS_URL: redis.url,
      WHARF_MASTER_KEY: TEST_MASTER_KEY.reveal(),
      WHARF_INTAKE_KEY: 'an intake key for tests of 32 characters and more',
      WHARF_RUNTIME_SOCKETS: path.join(dataDir, 'runtime.sock'),
      WHARF_PUBLIC_URL: origin,
      WHARF_DATA_DIR: dataDir,
      WHARF_LOG_LEVEL: 'error',
      WHARF_WARM_WORKERS: '1',
    },
    port,
  );
  const stop = async (): Promise<void> => {
    await services.stop();
    close(upstream);
    await Promise.all([postgres.stop(), redis.stop()]);
    rmSync(dataDir, { recursive: true, force: true });
  };
  return { tenants, services, postgres, redis, heard, stop };
}

function close(server: Server): void {
  server.close();
  server.closeAllConnections();
}

async function provideTenants(databaseUrl: string, origin: string, upstreamPort: number): Promise<StageTenant[]> {
  const owner = new Client({ connectionString: databaseUrl });
  await owner.connect();
  const tenants: StageTenant[] = [];
  for (const mode of MODES) tenants.push(await provideTenant(owner, mode, origin, upstreamPort));
  await owner.end();
  return tenants;
}

async function provideTenant(owner: Client, mode: string, origin: string, upstreamPort: number): Promise<StageTenant> {
  const [tenantId, serverId, releaseId] = [newId(), newId(), newId()];
  const bytes = Buffer.from(canonicalJson(manifestOf(upstreamPort)));
  const digest = sha256Digest(bytes);
  const { text: key, hash, prefix } = mintApiKey(tenantId);
  const rows: ReadonlyArray<readonly [string, readonly unknown[]]> = [
    [
      `insert into plans (name, calls_per_minute, concurrent_calls, servers_max, worker_memory_mb, audit_mode)
       values ($1, 1000000, 1000, 5, 256, $1)`,
      [mode],
    ],
    [`insert into tenants (id, slug, name, plan) values ($1, $2, 'T', $2)`, [tenantId, mode]],
    [`insert into servers (tenant_id, id, slug, name) values ($1, $2, 'notes', 'N')`, [tenantId, serverId]],
    [
      `insert into blobs (tenant_id, digest, media_type, bytes, content) values ($1, $2, 'application/json', $3, $4)`,
      [tenantId, digest, bytes.length, bytes],
    ],
    [
      `insert into releases (tenant_id, id, server_id, number, kind, digest, state, report, created_by, tools)
       values ($1, $2, $3, 1, 'http', $4, 'live', '{}', '{}', '{"note": "read"}')`,
      [tenantId, releaseId, serverId, digest],
    ],
    [`update servers set live_release_id = $2 where tenant_id = $1`, [tenantId, releaseId]],
    [
      `insert into api_keys (tenant_id, id, name, key_hash, prefix, scopes) values ($1, $2, 'k', $3, $4, '{mcp}')`,
      [tenantId, newId(), hash, prefix],
    ],
    [
      `insert into egress_allowances (tenant_id, id, host, port, reason) values ($1, $2, 'localhost', $3, 'test')`,
      [tenantId, newId(), upstreamPort],
    ],
  ];
  for (const [statement, values] of rows) await owner.query(statement, [...values]);
  return { url: `${origin}/t/${mode}/notes/mcp`, key };
}

function manifestOf(upstreamPort: number): Manifest {
  const origin = `http://localhost:${upstreamPort}`;
  return {
    version: 1,
    kind: 'http',
    server: { name: 'notes' },
    origins: [origin],
    credentials: [],
    tools: [
      {
        name: 'note',
        description: 'Notes a text.',
        inputSchema: { type: 'object', properties: { text: { type: 'string' } } },
        http: {
          method: 'GET',
          urlTemplate: `${origin}/note`,
          placements: [{ argument: 'text', in: 'query', name: 'text' }],
          headers: {},
          credentials: [],
          timeoutMs: 10_000,
        },
      },
    ],
  };
}
