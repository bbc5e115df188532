import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import { hash } from '@node-rs/argon2';
import { Client } from 'pg';
import { closeServer, serverFor, type Service } from '#libs/http';
import { testDatabase, testRedis, type TestDatabase } from '#libs/testing';
import { start } from '../main.js';
import { Browser, type Visited } from './browser.fixture.js';
import { freePort } from './free-port.fixture.js';

/** The password of everybody in tests. */
export const PASSWORD = 'correct horse battery staple';
/** Where test clients receive their answers; nobody listens there. */
export const REDIRECT = 'http://127.0.0.1:9/callback';

/** A registered client. */
export interface TestClient {
  readonly redirect_uris?: readonly string[];
  readonly client_id: string;
  readonly client_secret?: string;
}

/** The JSON answer of an endpoint. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

/** What an authorization request can be made to differ in; null leaves a parameter out. */
export type AuthorizeChanges = Readonly<Record<string, string | null>>;

/** The authorization server on a database of its own, with people and tenants to try it on. */
export class AuthWorld {
  #service: Service | undefined;
  #server: Server | undefined;
  readonly verifier = randomBytes(32).toString('base64url');

  private constructor(
    private readonly database: TestDatabase,
    private readonly redisUrl: string,
    /** The schema's owner, for what other services write and what tests look at. */
    readonly owner: Client,
    private readonly changes: Readonly<Record<string, string>>,
    private port: number,
  ) {}

  static async open(changes: Readonly<Record<string, string>> = {}): Promise<AuthWorld> {
    const database = await testDatabase();
    const { redisUrl } = await testRedis();
    const owner = new Client({ connectionString: database.databaseUrl });
    await owner.connect();
    const world = new AuthWorld(database, redisUrl, owner, changes, 0);
    await world.start();
    return world;
  }

  /** Its database, and the key that things are sealed with. */
  get store(): TestDatabase {
    return this.database;
  }

  /** The shared origin; the issuer is `/auth` below it. */
  get url(): string {
    return `http://localhost:${this.port}`;
  }

  async start(): Promise<void> {
    // The port is the first start's, so that the issuer is the same after a restart.
    if (this.port === 0) this.port = await freePort();
    this.#service = await start({
      WHARF_PUBLIC_URL: this.url,
      DATABASE_URL: this.database.databaseUrl,
      REDIS_URL: this.redisUrl,
      WHARF_MASTER_KEY: this.database.masterKey.reveal(),
      WHARF_LOG_LEVEL: 'silent',
      ...this.changes,
    });
    this.#server = serverFor(this.#service);
    await new Promise<void>((resolve) => this.#server?.listen(this.port, 'localhost', resolve));
  }

  async stop(): Promise<void> {
    if (this.#server !== undefined) await closeServer(this.#server, 100);
    await this.#service?.stop();
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async close(): Promise<void> {
    await this.stop();
    await this.owner.end();
    await this.database.drop();
  }

  /** Whether the service says it is ready, and its checks. */
  async readiness(): Promise<Awaited<ReturnType<Service['readiness']>> | undefined> {
    return this.#service?.readiness();
  }

  async addTenant(slug: string, name = slug): Promise<string> {
    const id = randomUUID();
    await this.owner.query(`insert into tenants (id, slug, name) values ($1, $2, $3)`, [id, slug, name]);
    return id;
  }

  async addServer(tenantId: string, slug: string): Promise<void> {
    await this.owner.query(`insert into servers (tenant_id, id, slug, name) values ($1, $2, $3, $3)`, [
      tenantId,
      randomUUID(),
      slug,
    ]);
  }

  async addPerson(email: string, roles: Readonly<Record<string, string>> = {}): Promise<string> {
    const id = randomUUID();
    await this.owner.query(
      `insert into accounts (id, email, password_hash, email_verified_at) values ($1, $2, $3, now())`,
      [id, email, await hash(PASSWORD)],
    );
    for (const [tenantId, role] of Object.entries(roles)) {
      await this.owner.query(`insert into members (tenant_id, account_id, role) values ($1, $2, $3)`, [
        tenantId,
        id,
        role,
      ]);
    }
    return id;
  }

  /** The audit events of a tenant, oldest first, with their outcomes: `login.succeeded ok`. */
  async audited(tenantId: string): Promise<string[]> {
    const { rows } = await this.owner.query<{ event: string; outcome: string }>(
      `select event, outcome from audit_records where tenant_id = $1 order by id`,
      [tenantId],
    );
    return rows.map(({ event, outcome }) => `${event} ${outcome}`);
  }

  async register(metadata: Readonly<Record<string, unknown>> = {}): Promise<TestClient> {
    const answer = await this.json('/auth/register', {
      client_name: 'Test client',
      redirect_uris: [REDIRECT],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
      ...metadata,
    });
    if (answer.status !== 201) throw new Error(`registration: ${JSON.stringify(answer.body)}`);
    const { client_id: id, client_secret: secret, redirect_uris: redirects } = answer.body;
    return {
      client_id: String(id),
      ...(secret === undefined ? {} : { client_secret: String(secret) }),
      ...(Array.isArray(redirects) ? { redirect_uris: redirects.map(String) } : {}),
    };
  }

  authorizeUrl(client: TestClient, resource: string, changes: AuthorizeChanges = {}): string {
    const params: AuthorizeChanges = {
      client_id: client.client_id,
      response_type: 'code',
      redirect_uri: client.redirect_uris?.[0] ?? REDIRECT,
      code_challenge: createHash('sha256').update(this.verifier).digest('base64url'),
      code_challenge_method: 'S256',
      state: 'the-state',
      resource,
      ...changes,
    };
    const given = Object.entries(params).filter((entry): entry is [string, string] => entry[1] !== null);
    return `${this.url}/auth/authorize?${new URLSearchParams(given)}`;
  }

  browser(): Browser {
    return new Browser(this.url);
  }

  /** Goes all the way through the pages as a person who allows it; returns where the browser is sent. */
  async authorize(client: TestClient, resource: string, email: string, browser = this.browser()): Promise<URL> {
    let page = await browser.open(this.authorizeUrl(client, resource));
    if (page.text.includes('name="password"')) page = await browser.submit(page, loginFields(email));
    if (page.text.includes('value="allow"')) page = await browser.submit(page, { action: 'allow' });
    return locationOf(page);
  }

  async token(client: TestClient, fields: Readonly<Record<string, string>>): Promise<Answered> {
    return this.form('/auth/token', {
      client_id: client.client_id,
      ...(client.client_secret === undefined ? {} : { client_secret: client.client_secret }),
      ...fields,
    });
  }

  async redeem(client: TestClient, code: string | null, resource: string): Promise<Answered> {
    return this.token(client, {
      grant_type: 'authorization_code',
      code: code ?? '',
      redirect_uri: client.redirect_uris?.[0] ?? REDIRECT,
      code_verifier: this.verifier,
      resource,
    });
  }

  async refresh(client: TestClient, refreshToken: unknown, resource: string): Promise<Answered> {
    return this.token(client, { grant_type: 'refresh_token', refresh_token: String(refreshToken), resource });
  }

  /** Signs in, allows and redeems: the token endpoint's answer. */
  async signedIn(client: TestClient, resource: string, email: string): Promise<Answered> {
    const location = await this.authorize(client, resource, email);
    return this.redeem(client, location.searchParams.get('code'), resource);
  }

  async json(path: string, body: unknown): Promise<Answered> {
    return this.#send(path, 'application/json', JSON.stringify(body));
  }

  async form(path: string, fields: Readonly<Record<string, string>>): Promise<Answered> {
    return this.#send(path, 'application/x-www-form-urlencoded', new URLSearchParams(fields).toString());
  }

  async #send(path: string, contentType: string, body: string): Promise<Answered> {
    const response = await fetch(`${this.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': contentType },
      body,
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
  }
}

/** The fields of the sign-in form. */
export function loginFields(email: string, password = PASSWORD): Record<string, string> {
  return { email, password, action: 'login' };
}

/** Registers with a redirect that only its owner receives, so that its consent is remembered (RFC 8252 §8.6). */
export const WEB_CLIENT = { redirect_uris: ['https://app.example/callback'] };

/** Where a redirect that leaves the site goes. @throws Error when it is a page */
export function locationOf(page: Visited): URL {
  const location = page.headers.get('location');
  if (location === null) throw new Error(`no redirect but ${page.status}: ${page.text}`);
  return new URL(location);
}
