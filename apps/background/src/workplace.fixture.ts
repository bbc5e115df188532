import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { BlobStore } from '#libs/blobs';
import { Secret } from '#libs/config';
import { Database, newId } from '#libs/database';
import { enqueue, publishReleaseJob } from '#libs/jobs';
import { canonicalJson, RuntimeClient, sha256Digest, type Manifest } from '#libs/protocol';
import { databaseSupplier } from '#libs/supply';
import { endOf, testDatabase } from '#libs/testing';

const RUNTIME = fileURLToPath(new URL('../../../dist/apps/worker-runtime/src/main.js', import.meta.url));
const INTAKE_KEY = 'k'.repeat(43);

/** A worker-runtime process of one's own. */
async function startRuntime() {
  const folder = mkdtempSync(path.join(tmpdir(), 'wharf-bg-'));
  const socket = path.join(folder, 'runtime.sock');
  const child = spawn(process.execPath, [RUNTIME], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      WHARF_RUNTIME_SOCKETS: socket,
      WHARF_INTAKE_KEY: INTAKE_KEY,
      WHARF_LOG_LEVEL: 'error',
      WHARF_WARM_WORKERS: '1',
    },
  });
  return {
    socket,
    intakeKey: INTAKE_KEY,
    async stop() {
      await endOf(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A database, a worker-runtime and the client between them. */
export async function openWorkplace() {
  const [store, runtime] = await Promise.all([testDatabase(), startRuntime()]);
  const background = await Database.connect({ ...store, role: 'wharf_background' });
  const control = await Database.connect({ ...store, role: 'wharf_control' });
  const operators = await Database.connect({ ...store, role: 'wharf_operator' });
  const supplier = databaseSupplier(background, store.masterKey, new BlobStore(background));
  const connect = (socket: string) =>
    RuntimeClient.connect({ sockets: [socket], intakeKey: new Secret(INTAKE_KEY), supplier });
  let gateway: Database | undefined;
  let client = await connect(runtime.socket);
  for (let attempt = 0; !client.ready && attempt < 10; attempt += 1) {
    await client.close();
    client = await connect(runtime.socket);
  }
  return {
    ...records(control),
    store,
    runtime,
    background,
    control,
    supplier,
    client,
    connect,
    /** The database as a gateway reaches it. */
    async asGateway(): Promise<Database> {
      gateway ??= await Database.connect({ ...store, role: 'wharf_gateway', poolSize: 1 });
      return gateway;
    },
    suspend: (tenantId: string) =>
      operators.asService((tx) => tx.query(`update tenants set status = 'suspended' where id = $1`, [tenantId])),
    /** Makes a region a tenant's home. */
    settle: (tenantId: string, region: string) =>
      operators.asService((tx) => tx.query(`update tenants set home_region = $2 where id = $1`, [tenantId, region])),
    /** Lets a tenant reach a port of this machine. */
    allow: (tenantId: string, port: number) =>
      operators.asService((tx) =>
        tx.query(
          `insert into egress_allowances (tenant_id, id, host, port, reason) values ($1, $2, 'localhost', $3, 'test')`,
          [tenantId, newId(), port],
        ),
      ),
    async close() {
      await client.close();
      await runtime.stop();
      await Promise.all([background.close(), control.close(), operators.close(), gateway?.close()]);
      await store.drop();
    },
  };
}

/** The workplace of one test file. */
export type Workplace = Awaited<ReturnType<typeof openWorkplace>>;

/** A tenant with one server. */
export interface TestServer {
  readonly tenantId: string;
  readonly serverId: string;
}

/** Writes what the control plane would write. */
function records(control: Database) {
  return {
    async newServer(): Promise<TestServer> {
      const server = { tenantId: newId(), serverId: newId() };
      await control.asTenant(server.tenantId, async (tx) => {
        await tx.query(`insert into tenants (id, slug, name) values ($1, $2, 'T')`, [
          server.tenantId,
          `t-${server.tenantId}`,
        ]);
        await tx.query(`insert into servers (tenant_id, id, slug, name) values ($1, $2, 'shop', 'Shop')`, [
          server.tenantId,
          server.serverId,
        ]);
      });
      return server;
    },

    /** A release in state `publishing` whose stored manifest is `content`. */
    async newRelease({ tenantId, serverId }: TestServer, content: string, version?: string): Promise<string> {
      const id = newId();
      const digest = sha256Digest(content);
      await control.asTenant(tenantId, async (tx) => {
        await tx.query(
          `insert into blobs (tenant_id, digest, media_type, bytes, content) values ($1, $2, 'application/json', $3, $4)
           on conflict (tenant_id, digest) do nothing`,
          [tenantId, digest, content.length, Buffer.from(content)],
        );
        await tx.query(
          `insert into releases (tenant_id, id, server_id, number, kind, digest, state, report, created_by, tools, version)
           select $1, $2, $3, 1 + count(*), 'http', $4, 'publishing', '{}', '{}', '{}', $5 from releases where server_id = $3`,
          [tenantId, id, serverId, digest, version ?? null],
        );
      });
      return id;
    },

    /** Asks for a release to be published; returns the job's id. */
    request: (
      { tenantId, serverId }: TestServer,
      releaseId: string,
      options: { acknowledgeBreaking?: boolean; previousMajorUntil?: string } = { acknowledgeBreaking: true },
    ): Promise<string> =>
      control.asTenant(tenantId, async (tx) => {
        await tx.query(`update releases set state = 'publishing' where id = $1 and state <> 'live'`, [releaseId]);
        return enqueue(tx, tenantId, publishReleaseJob, {
          tenantId,
          serverId,
          releaseId,
          requestedBy: { kind: 'api-key', id: 'key-1' },
          ...options,
        });
      }),
  };
}

/** The stored form of a manifest with tools of these names. */
export function manifestOf(...toolNames: readonly string[]): string {
  const manifest: Manifest = {
    version: 1,
    kind: 'http',
    server: { name: 'shop' },
    origins: ['https://shop.example.com'],
    credentials: [],
    tools: toolNames.map((name) => ({
      name,
      description: `Does ${name}.`,
      inputSchema: { type: 'object', properties: {}, additionalProperties: false },
      http: {
        method: 'GET',
        urlTemplate: 'https://shop.example.com/',
        placements: [],
        headers: {},
        credentials: [],
        timeoutMs: 1_000,
      },
    })),
  };
  return canonicalJson(manifest);
}
