import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { Database, newId } from '#libs/database';
import type { Service } from '#libs/http';
import { mintApiKey } from '#libs/identity';
import { canonicalJson, sha256Digest, type Manifest } from '#libs/protocol';
import { testDatabase, testRedis, type TestDatabase, type TestRedis } from '#libs/testing';
import { start } from './main.js';

const RUNTIME = path.resolve('dist/apps/worker-runtime/src/main.js');
const INTAKE_KEY = 'an intake key for tests of 32 characters and more';

/** An HTTP server on loopback. */
export interface Listening {
  readonly origin: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Listens on a free port. */
export async function listen(listener: RequestListener): Promise<Listening> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // a TCP server's address
  return {
    origin: `http://localhost:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function startRuntime(socket: string): Promise<() => Promise<void>> {
  const child = spawn(process.execPath, ['--enable-source-maps', RUNTIME], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { NODE_ENV: 'test', WHARF_RUNTIME_SOCKETS: socket, WHARF_INTAKE_KEY: INTAKE_KEY, WHARF_WARM_WORKERS: '1' },
  });
  let output = '';
  await new Promise<void>((resolve, reject) => {
    const hear = (chunk: Buffer): void => {
      output += chunk.toString();
      if (output.includes('worker-runtime listens')) resolve();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('exit', () => reject(new Error(`the runtime ended:\n${output}`)));
  });
  return async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await exited;
  };
}

/** Signs access tokens as the authorization server does. */
async function startIssuer() {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' };
  const keySet = await listen((_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [jwk] }));
  });
  const sign = (issuer: string, claims: Record<string, unknown>, lifetimeSeconds: number): Promise<string> =>
    new SignJWT({ client_id: 'client', scope: 'mcp', jti: newId(), sub: newId(), ...claims })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'k1' })
      .setIssuer(issuer)
      .setIssuedAt()
      .setExpirationTime(Math.floor(Date.now() / 1_000) + lifetimeSeconds)
      .sign(privateKey);
  return { keySet, sign };
}

/** A tenant with one published server, `orders`, and a key for it. */
export interface TenantUnderTest {
  readonly id: string;
  readonly slug: string;
  readonly key: string;
  readonly keyId: string;
  /** Of the tenant, and of its server. */
  readonly url: string;
  readonly serverUrl: string;
}

/** The gateway with real stores and a real worker-runtime behind it. */
export class GatewayUnderTest {
  readonly #closers: Array<() => Promise<unknown>> = [];
  #service: Service | undefined;
  origin = '';
  port = 0;
  issuer = '';
  readonly dataDir = mkdtempSync(path.join(tmpdir(), 'wharf-gateway-test-'));

  private constructor(
    readonly store: TestDatabase,
    readonly redis: TestRedis,
    readonly control: Database,
    readonly operators: Database,
    private readonly issuing: Awaited<ReturnType<typeof startIssuer>>,
  ) {}

  /** Starts everything; what differs is added to the gateway's environment. */
  static async start(environment: Readonly<Record<string, string>> = {}): Promise<GatewayUnderTest> {
    const [store, redis] = await Promise.all([testDatabase(), testRedis()]);
    const control = await Database.connect({ ...store, role: 'wharf_control', poolSize: 2 });
    const operators = await Database.connect({ ...store, role: 'wharf_operator', poolSize: 2 });
    const under = new GatewayUnderTest(store, redis, control, operators, await startIssuer());
    const socket = path.join(under.dataDir, 'runtime.sock');
    const stopRuntime = await startRuntime(socket);
    const front = await listen((request, response) => under.#service?.listener(request, response));
    under.origin = front.origin;
    under.port = front.port;
    under.issuer = `${front.origin}/auth`;
    under.#closers.push(() => front.close(), () => under.#service?.stop() ?? Promise.resolve(), stopRuntime);
    under.environment = {
      NODE_ENV: 'test',
      DATABASE_URL: store.databaseUrl,
      REDIS_URL: redis.redisUrl,
      WHARF_MASTER_KEY: store.masterKey.reveal(),
      WHARF_PUBLIC_URL: front.origin,
      WHARF_DATA_DIR: under.dataDir,
      WHARF_INTAKE_KEY: INTAKE_KEY,
      WHARF_RUNTIME_SOCKETS: socket,
      WHARF_JWKS_URL: `${under.issuing.keySet.origin}/jwks`,
      WHARF_LOG_LEVEL: 'silent',
      ...environment,
    };
    under.#service = await start(under.environment);
    return under;
  }

  /** What the gateway was started with. */
  environment: Readonly<Record<string, string>> = {};

  get service(): Service {
    if (this.#service === undefined) throw new Error('not started');
    return this.#service;
  }

  /** Stops the gateway and starts it anew on the same stores. */
  async restart(): Promise<void> {
    await this.service.stop();
    this.#service = await start(this.environment);
  }

  async stop(): Promise<void> {
    for (const close of this.#closers) await close();
    await Promise.all([this.control.close(), this.operators.close(), this.issuing.keySet.close()]);
    await this.store.drop();
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  /** A token as the authorization server mints it, with what differs. */
  token(tenant: TenantUnderTest, audience: string, claims: Record<string, unknown> = {}, lifetimeSeconds = 600): Promise<string> {
    return this.issuing.sign(this.issuer, { aud: audience, tenant: tenant.id, ...claims }, lifetimeSeconds);
  }

  /** A new tenant with the server `orders` and these GET tools: name → URL template. */
  async tenant(slug: string, tools: Readonly<Record<string, string>>, plan = 'free'): Promise<TenantUnderTest> {
    const id = newId();
    const url = `${this.origin}/t/${slug}/mcp`;
    const serverUrl = `${this.origin}/t/${slug}/orders/mcp`;
    await this.control.asTenant(id, (tx) =>
      tx.query(`insert into tenants (id, slug, name, plan) values ($1, $2, $3, $4)`, [id, slug, `Tenant ${slug}`, plan]),
    );
    const key = await this.apiKey(id, ['mcp']);
    await this.publish(id, 'orders', tools);
    return { id, slug, key: key.text, keyId: key.id, url, serverUrl };
  }

  /** A new API key. */
  async apiKey(tenantId: string, scopes: string[], expiresAt: Date | null = null): Promise<{ id: string; text: string }> {
    const id = newId();
    const { text, hash, prefix } = mintApiKey(tenantId);
    await this.control.asTenant(tenantId, (tx) =>
      tx.query(
        `insert into api_keys (tenant_id, id, name, key_hash, prefix, scopes, expires_at) values ($1, $2, 'k', $3, $4, $5, $6)`,
        [tenantId, id, hash, prefix, scopes, expiresAt],
      ),
    );
    return { id, text };
  }

  /** Creates a server where there is none and makes a new release of these tools live. */
  async publish(tenantId: string, slug: string, tools: Readonly<Record<string, string>>): Promise<void> {
    const bytes = Buffer.from(canonicalJson(manifestOf(slug, tools)));
    const digest = sha256Digest(bytes);
    const releaseId = newId();
    await this.control.asTenant(tenantId, async (tx) => {
      await tx.query(
        `insert into blobs (tenant_id, digest, media_type, bytes, content) values ($1, $2, 'application/json', $3, $4) on conflict do nothing`,
        [tenantId, digest, bytes.length, bytes],
      );
      await tx.query(`insert into servers (tenant_id, id, slug, name) values ($1, $2, $3, $3) on conflict do nothing`, [tenantId, newId(), slug]);
      const servers: Array<{ id: string }> = await tx.query(`select id from servers where tenant_id = $1 and slug = $2`, [tenantId, slug]);
      const serverId = servers[0]?.id;
      await tx.query(
        `insert into releases (tenant_id, id, server_id, number, kind, digest, state, report, created_by)
         select $1, $2, $3, coalesce(max(number), 0) + 1, 'http', $4, 'live', '{}', '{}' from releases where tenant_id = $1 and server_id = $3`,
        [tenantId, releaseId, serverId, digest],
      );
      await tx.query(`update servers set live_release_id = $3 where tenant_id = $1 and id = $2`, [tenantId, serverId, releaseId]);
    });
  }

  /** Allows a tenant to reach an upstream on this machine. */
  async allow(tenant: TenantUnderTest, upstream: Listening): Promise<void> {
    await this.operators.asService((tx) =>
      tx.query(`insert into egress_allowances (tenant_id, id, host, port, reason) values ($1, $2, 'localhost', $3, 'test')`, [tenant.id, newId(), upstream.port]),
    );
  }

  /** The first record of the tenant's audit log that is looked for, as soon as it is there. */
  async audited(tenant: TenantUnderTest, wanted: (record: AuditRow) => boolean): Promise<AuditRow> {
    for (;;) {
      const rows: AuditRow[] = await this.control.asTenant(tenant.id, (tx) =>
        tx.query(`select id, event, actor, target, outcome, details, trace_id from audit_records where tenant_id = $1 order by id`, [tenant.id]),
      );
      const found = rows.find(wanted);
      if (found !== undefined) return found;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** What a test reads of an audit record. */
export interface AuditRow {
  readonly id: string;
  readonly event: string;
  readonly actor: Record<string, unknown>;
  readonly target: string;
  readonly outcome: string;
  readonly details: Record<string, unknown>;
  readonly trace_id: string;
}

function manifestOf(server: string, tools: Readonly<Record<string, string>>): Manifest {
  const origins = [...new Set(Object.values(tools).map((url) => new URL(url).origin))];
  return {
    version: 1,
    kind: 'http',
    server: { name: server },
    origins,
    credentials: [],
    tools: Object.entries(tools).map(([name, urlTemplate]) => ({
      name,
      description: `Calls ${name}.`,
      inputSchema: { type: 'object', properties: { text: { type: 'string' } } },
      http: {
        method: 'GET',
        urlTemplate,
        placements: [{ argument: 'text', in: 'query', name: 'text' }],
        headers: {},
        credentials: [],
        timeoutMs: 30_000,
      },
    })),
  };
}

/** One answer, read whole. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  /** The body as JSON. */
  readonly json: any; // eslint-disable-line typescript/no-explicit-any -- a test looks into answers of any shape
}

/** Sends one request with exactly these headers. */
export function send(url: string, options: { method?: string; headers?: Record<string, string>; body?: string | Buffer } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method: options.method ?? 'POST', headers: options.headers ?? {}, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: text.startsWith('{') ? JSON.parse(text) : undefined });
      });
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(options.body);
  });
}

/** What every POST carries. */
export const POST_HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

/** A request of the 2026 era: its headers and its body. */
export function modern(method: string, params: Record<string, unknown> = {}, id: string | number = 1): { headers: Record<string, string>; body: string } {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const named = typeof params['name'] === 'string' ? { 'mcp-name': params['name'] } : {};
  return {
    headers: { ...POST_HEADERS, 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...named },
    body: JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, _meta: meta } }),
  };
}

/** A message of the 2025 era. */
export function legacy(message: Record<string, unknown>, sessionId?: string): { headers: Record<string, string>; body: string } {
  return {
    headers: { ...POST_HEADERS, 'mcp-protocol-version': '2025-11-25', ...(sessionId === undefined ? {} : { 'mcp-session-id': sessionId }) },
    body: JSON.stringify({ jsonrpc: '2.0', ...message }),
  };
}

/** The handshake of the 2025 era. */
export const INITIALIZE = {
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
};
