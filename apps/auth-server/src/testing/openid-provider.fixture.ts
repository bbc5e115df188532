import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { Database, newId } from '#libs/database';
import { clientSecretPurpose } from '#libs/openid';
import { TenantVault } from '#libs/secrets';
import type { AuthWorld } from './auth-world.fixture.js';
import { freePort } from './free-port.fixture.js';
import type { Told } from './openid-provider.process.fixture.js';

const ENTRY = path.resolve('apps/auth-server/src/testing/openid-provider.process.fixture.ts');

/** A company's OpenID provider that runs beside the test, with a real `oidc-provider` of its own. */
export class CompanyProvider {
  private constructor(
    private child: ChildProcess,
    readonly port: number,
    private readonly callbacks: readonly string[],
  ) {}

  /** Starts it for these tenants of the world. */
  static async start(world: AuthWorld, slugs: readonly string[]): Promise<CompanyProvider> {
    const port = await freePort();
    const callbacks = slugs.map((slug) => `${world.url}/auth/federation/${slug}/callback`);
    return new CompanyProvider(await launch(port, callbacks), port, callbacks);
  }

  get issuer(): string {
    return `http://localhost:${this.port}`;
  }

  /** Says who signs in from now on, and what is wrong with it. */
  async tell(told: Told): Promise<void> {
    this.child.send({ told });
    await once(this.child, 'message');
  }

  /** Has something signed with the provider's key. */
  async sign(claims: Readonly<Record<string, unknown>>, header: object): Promise<string> {
    this.child.send({ sign: { claims, header } });
    const [answer]: Array<{ jwt: string }> = await once(this.child, 'message');
    return answer?.jwt ?? '';
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    this.child.kill();
    await once(this.child, 'exit');
  }

  async restart(): Promise<void> {
    this.child = await launch(this.port, this.callbacks);
  }
}

async function launch(port: number, callbacks: readonly string[]): Promise<ChildProcess> {
  const child = fork(ENTRY, [String(port), callbacks.join(',')], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [],
    serialization: 'advanced',
  });
  await once(child, 'message');
  return child;
}

/** Connects a provider to a tenant as the management API would; returns its id. */
export async function connectProvider(
  world: AuthWorld,
  tenantId: string,
  { issuer, port }: Pick<CompanyProvider, 'issuer' | 'port'>,
  changes: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const id = newId();
  const database = await Database.connect({ ...world.connection, role: 'wharf_control', poolSize: 1 });
  const vault = new TenantVault(world.connection.masterKey);
  const sealed = await database.asTenant(tenantId, (tx) =>
    vault.seal(tx, tenantId, clientSecretPurpose(id), 'the-client-secret-of-wharf-at-the-company'),
  );
  await database.close();
  const row: Record<string, unknown> = {
    tenant_id: tenantId,
    id,
    name: 'Company',
    issuer,
    client_id: 'wharf',
    secret_data_key_id: sealed.dataKeyId,
    secret_ciphertext: sealed.ciphertext,
    scopes: ['openid', 'email', 'profile'],
    email_domains: [],
    group_claim: 'groups',
    group_roles: JSON.stringify([{ group: 'engineers', role: 'developer' }]),
    default_role: null,
    just_in_time: true,
    accepts_assertions: false,
    sign_in_again_hours: 168,
    ...changes,
  };
  const columns = Object.keys(row);
  await world.owner.query(
    `insert into identity_providers (${columns}) values (${columns.map((_, at) => `$${at + 1}`)})`,
    Object.values(row),
  );
  await world.owner.query(
    `insert into egress_allowances (tenant_id, id, host, port, reason) values ($1, $2, 'localhost', $3, 'a test')
     on conflict (tenant_id, host, port) do nothing`,
    [tenantId, newId(), port],
  );
  return id;
}
