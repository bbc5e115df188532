import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Database, newId } from '#libs/database';
import type { Service } from '#libs/http';
import { mintApiKey } from '#libs/identity';
import { canonicalJson, sha256Digest, type Manifest } from '#libs/protocol';
import { testDatabase, testRedis, until, type TestDatabase, type TestRedis } from '#libs/testing';
import { start } from './main.js';
import { accessOf, digestsOf, manifestOf } from './manifest.fixture.js';
import { INTAKE_KEY, listen, startIssuer, startRuntime, type Listening } from './surroundings.fixture.js';

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
  #stopRuntime: () => Promise<void> = () => Promise.resolve();
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
    under.#stopRuntime = await startRuntime(socket);
    const front = await listen((request, response) => under.#service?.listener(request, response));
    under.origin = front.origin;
    under.port = front.port;
    under.issuer = `${front.origin}/auth`;
    under.#closers.push(
      () => front.close(),
      () => under.#service?.stop() ?? Promise.resolve(),
      () => under.#stopRuntime(),
    );
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

  /** Starts another replica on the same stores and the same runtime, with settings of its own; returns its origin. */
  async replica(own: Readonly<Record<string, string>> = {}): Promise<string> {
    let service: Service | undefined;
    const front = await listen((request, response) => service?.listener(request, response));
    const dataDir = mkdtempSync(path.join(tmpdir(), 'wharf-gateway-replica-'));
    service = await start({ ...this.environment, ...own, WHARF_DATA_DIR: dataDir });
    const replica = service;
    this.#closers.unshift(async () => {
      await front.close();
      await replica.stop();
      rmSync(dataDir, { recursive: true, force: true });
    });
    return front.origin;
  }

  /** Stops the gateway and starts it anew on the same stores. */
  async restart(): Promise<void> {
    await this.service.stop();
    this.#service = await start(this.environment);
  }

  /** Ends the worker-runtime with all its workers, and starts another in its place. */
  async replaceRuntime(): Promise<void> {
    await this.#stopRuntime();
    this.#stopRuntime = await startRuntime(this.environment['WHARF_RUNTIME_SOCKETS'] ?? '');
  }

  async stop(): Promise<void> {
    for (const close of this.#closers) await close();
    await Promise.all([this.control.close(), this.operators.close(), this.issuing.keySet.close()]);
    await this.store.drop();
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  /** A token as the authorization server mints it, with what differs. */
  token(
    tenant: TenantUnderTest,
    audience: string,
    claims: Record<string, unknown> = {},
    lifetimeSeconds = 600,
  ): Promise<string> {
    return this.issuing.sign(this.issuer, { aud: audience, tenant: tenant.id, ...claims }, lifetimeSeconds);
  }

  /** Lets pages of these origins call a tenant. */
  async allowOrigins({ id }: TenantUnderTest, origins: readonly string[]): Promise<void> {
    await this.control.asTenant(id, (tx) =>
      tx.query(`update tenants set allowed_origins = $2 where id = $1`, [id, origins]),
    );
  }

  /** A new tenant with the server `orders` and these GET tools: name → URL template. */
  async tenant(slug: string, tools: Readonly<Record<string, string>>, plan = 'free'): Promise<TenantUnderTest> {
    const id = newId();
    const url = `${this.origin}/t/${slug}/mcp`;
    const serverUrl = `${this.origin}/t/${slug}/orders/mcp`;
    await this.control.asTenant(id, (tx) =>
      tx.query(`insert into tenants (id, slug, name, plan) values ($1, $2, $3, $4)`, [
        id,
        slug,
        `Tenant ${slug}`,
        plan,
      ]),
    );
    const key = await this.apiKey(id, ['mcp']);
    await this.publish(id, 'orders', tools);
    return { id, slug, key: key.text, keyId: key.id, url, serverUrl };
  }

  /** A new API key. */
  async apiKey(
    tenantId: string,
    scopes: string[],
    expiresAt: Date | null = null,
  ): Promise<{ id: string; text: string }> {
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

  /** Creates a server where there is none and makes a new release of these tools live; what differs is in `extra`. */
  async publish(
    tenantId: string,
    slug: string,
    tools: Readonly<Record<string, string>>,
    extra: Partial<Manifest> = {},
  ): Promise<void> {
    const bytes = Buffer.from(canonicalJson({ ...manifestOf(slug, tools), ...extra }));
    const digest = sha256Digest(bytes);
    const releaseId = newId();
    await this.control.asTenant(tenantId, async (tx) => {
      await tx.query(
        `insert into blobs (tenant_id, digest, media_type, bytes, content) values ($1, $2, 'application/json', $3, $4)
         on conflict (tenant_id, digest) do nothing`,
        [tenantId, digest, bytes.length, bytes],
      );
      await tx.query(
        `insert into servers (tenant_id, id, slug, name) values ($1, $2, $3, $3) on conflict (tenant_id, slug) do nothing`,
        [tenantId, newId(), slug],
      );
      const servers: Array<{ id: string }> = await tx.query(
        `select id from servers where tenant_id = $1 and slug = $2`,
        [tenantId, slug],
      );
      const serverId = servers[0]?.id;
      await tx.query(
        `insert into releases (tenant_id, id, server_id, number, kind, digest, state, report, created_by, tools, tool_digests)
         select $1, $2, $3, coalesce(max(number), 0) + 1, 'http', $4, 'live', '{}', '{}', $5, $6 from releases where tenant_id = $1 and server_id = $3`,
        [tenantId, releaseId, serverId, digest, JSON.stringify(accessOf(tools)), JSON.stringify(digestsOf(tools))],
      );
      await tx.query(`update servers set live_release_id = $3 where tenant_id = $1 and id = $2`, [
        tenantId,
        serverId,
        releaseId,
      ]);
    });
  }

  /** Allows a tenant to reach an upstream on this machine. */
  async allow(tenant: TenantUnderTest, upstream: Listening): Promise<void> {
    await this.operators.asService((tx) =>
      tx.query(
        `insert into egress_allowances (tenant_id, id, host, port, reason) values ($1, $2, 'localhost', $3, 'test')`,
        [tenant.id, newId(), upstream.port],
      ),
    );
  }

  /** The first record of the tenant's audit log that is looked for, as soon as it is there. */
  async audited(tenant: TenantUnderTest, wanted: (record: AuditRow) => boolean): Promise<AuditRow> {
    return until(async () => {
      const rows: AuditRow[] = await this.control.asTenant(tenant.id, (tx) =>
        tx.query(
          `select id, event, actor, target, outcome, details, trace_id from audit_records where tenant_id = $1 order by id`,
          [tenant.id],
        ),
      );
      return rows.find(wanted);
    }, 'the record in the audit log');
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
