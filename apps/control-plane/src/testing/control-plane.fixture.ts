import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from 'pg';
import { Database, newId } from '#libs/database';
import { closeServer } from '#libs/http';
import { claimMails, type ClaimedMail } from '#libs/mail';
import { testDatabase, testRedis, type TestDatabase } from '#libs/testing';
import { start } from '../main.js';
import { newEmergencyKey } from './emergency-key.fixture.js';
import { startRuntime } from './runtime.fixture.js';
import { startTokenIssuer } from './token-issuer.fixture.js';

const INTAKE_KEY = 'k'.repeat(43);
const PUBLIC_URL = 'http://localhost:4000';

/** One answer of the API. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed JSON; tests look into it freely. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

/** One request; `body` is sent as JSON unless it is bytes or text. */
export interface Sent {
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

async function exchange(url: string, method: string, path: string, { key, headers = {}, body }: Sent): Promise<Answer> {
  const raw = typeof body === 'string' || body instanceof Uint8Array;
  const response = await fetch(`${url}${path}`, {
    method,
    redirect: 'manual',
    headers: {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined || raw ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: raw ? new Blob([body]) : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = /[/+]json/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
}

async function dedicatedDatabase(): Promise<TestDatabase> {
  const own = await testDatabase();
  const owner = new Client({ connectionString: own.databaseUrl });
  await owner.connect();
  await owner.query(`update installation set database = 'own'`);
  await owner.end();
  return own;
}

/** How to start it. */
export interface ControlPlaneOptions {
  /** Starts a worker-runtime beside it, which builds releases. */
  readonly runtime?: true;
  /** Has a database beside the common one that tenants can be moved into; it is called `own`. */
  readonly dedicated?: true;
  readonly environment?: Readonly<Record<string, string>>;
}

/** A tenant with its first API key. */
export interface TestTenant {
  readonly id: string;
  readonly slug: string;
  readonly key: string;
  readonly ownerId: string;
}

/** The service on a database, a Redis database and a port of its own. */
export async function startControlPlane({ runtime, dedicated, environment = {} }: ControlPlaneOptions = {}) {
  const [store, { redisUrl }] = await Promise.all([testDatabase(), testRedis()]);
  const own = dedicated === true ? await dedicatedDatabase() : undefined;
  const worker = runtime === true ? await startRuntime(INTAKE_KEY) : undefined;
  const issuer = await startTokenIssuer(`${PUBLIC_URL}/auth`);
  const { text: operatorKey } = await newEmergencyKey(store);
  const control = await Database.connect({ ...store, role: 'wharf_control', poolSize: 2 });
  const background = await Database.connect({ ...store, role: 'wharf_background', poolSize: 1 });
  const service = await start({
    WHARF_PUBLIC_URL: PUBLIC_URL,
    DATABASE_URL: store.databaseUrl,
    REDIS_URL: redisUrl,
    WHARF_MASTER_KEY: store.masterKey.reveal(),
    WHARF_INTAKE_KEY: INTAKE_KEY,
    WHARF_RUNTIME_SOCKETS: worker?.socket ?? '/nonexistent/runtime.sock',
    WHARF_JWKS_URL: issuer.jwksUrl,
    WHARF_LOG_LEVEL: 'silent',
    WHARF_SIGNUPS_PER_HOUR: '10000',
    WHARF_MANAGEMENT_CALLS_PER_MINUTE: '1000000',
    WHARF_REFUSED_CREDENTIALS_PER_MINUTE: '1000000',
    ...(own === undefined ? {} : { WHARF_DEDICATED_DATABASES: `own=${own.databaseUrl}` }),
    ...environment,
  });
  const server = createServer(service.listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // listening on TCP
  const url = `http://127.0.0.1:${port}`;
  const owners: Client[] = [];
  const send = (method: string, path: string, sent: Sent = {}): Promise<Answer> => exchange(url, method, path, sent);
  return {
    url,
    send,
    operatorKey,
    control,
    databaseUrl: store.databaseUrl,
    ownDatabaseUrl: own?.databaseUrl ?? '',
    redisUrl,
    masterKey: store.masterKey,
    service,
    ...people(send, control, issuer),
    /** A connection as the owner of the database, which ends with the rest. */
    async connectOwner(): Promise<Client> {
      const owner = new Client({ connectionString: store.databaseUrl });
      owners.push(owner);
      await owner.connect();
      return owner;
    },
    /** The mails that wait; each is taken once. */
    async mails(): Promise<ClaimedMail[]> {
      return background.asService((tx) => claimMails(tx, store.masterKey, { max: 1_000, leaseSeconds: 3_600 }));
    },
    async stop(): Promise<void> {
      await Promise.all([closeServer(server, 1_000), ...owners.map((owner) => owner.end())]);
      await service.stop();
      await Promise.all([control.close(), background.close(), issuer.stop(), worker?.stop()]);
      await Promise.all([store.drop(), own?.drop()]);
    },
  };
}

/** The service as tests use it. */
export type ControlPlane = Awaited<ReturnType<typeof startControlPlane>>;

type Send = (method: string, path: string, sent?: Sent) => Promise<Answer>;

/** Tenants and their members. */
function people(send: Send, control: Database, issuer: Awaited<ReturnType<typeof startTokenIssuer>>) {
  return {
    issuer,

    /** Signs a new tenant up; its texts carry the canary. */
    async newTenant(canary = 'plain'): Promise<TestTenant> {
      const slug = `t-${randomBytes(6).toString('hex')}`;
      const email = `${slug}@example.com`;
      const body = { tenant_name: `Tenant ${canary}`, slug, email, password: 'correct horse battery' };
      const answer = await send('POST', '/v1/signup', { body });
      if (answer.status !== 201) throw new Error(`sign-up failed: ${answer.text}`);
      const id: string = answer.body.tenant.id;
      const rows: Array<{ account_id: string }> = await control.asTenant(id, (tx) =>
        tx.query(`select account_id from members where tenant_id = $1`, [id]),
      );
      return { id, slug, key: answer.body.api_key.text, ownerId: rows[0]?.account_id ?? '' };
    },

    /** A further member's account id. */
    async newMember(
      tenant: TestTenant,
      role: string,
      { fromProvider = false, email }: { readonly fromProvider?: boolean; readonly email?: string } = {},
    ): Promise<string> {
      const id = newId();
      await control.asTenant(tenant.id, async (tx) => {
        await tx.query(
          `insert into accounts (id, email, password_hash, home_tenant_id)
           values ($1, case when not $3 then $2 end, case when not $3 then 'x' end, case when $3 then $4::uuid end)`,
          [id, email ?? `${id}@example.com`, fromProvider, tenant.id],
        );
        await tx.query(`insert into members (tenant_id, account_id, role) values ($1, $2, $3)`, [tenant.id, id, role]);
      });
      return id;
    },

    /** An access token of an account for a tenant's management API. */
    tokenOf: (tenant: TestTenant, accountId: string): Promise<string> =>
      issuer.token({
        claims: { sub: accountId, tenant: tenant.id, aud: `${PUBLIC_URL}/v1/tenants/${tenant.slug}` },
      }),
  };
}
