import { LRUCache } from 'lru-cache';
import { Secret } from '#libs/config';
import type { Database } from '#libs/database';
import {
  clientSecretPurpose,
  discoverProvider,
  OpenIdFetch,
  privateHostsOf,
  type DiscoveredProvider,
  type GroupRole,
} from '#libs/openid';
import { TenantVault } from '#libs/secrets';

/** A provider that a tenant has connected, and whom it lets in as what. */
export interface TenantProvider {
  readonly id: string;
  readonly tenantId: string;
  readonly name: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly emailDomains: readonly string[];
  readonly groupClaim: string | null;
  readonly groupRoles: ReadonlyArray<{ readonly group: string; readonly role: GroupRole }>;
  readonly defaultRole: GroupRole | null;
  readonly justInTime: boolean;
  readonly acceptsAssertions: boolean;
  readonly keysOfLeavers: 'revoke' | 'keep';
  readonly updatedAt: Date;
}

const COLUMNS = `id, tenant_id as "tenantId", name, issuer, client_id as "clientId", scopes,
  email_domains as "emailDomains", group_claim as "groupClaim", group_roles as "groupRoles",
  default_role as "defaultRole", just_in_time as "justInTime", accepts_assertions as "acceptsAssertions",
  keys_of_leavers as "keysOfLeavers",  updated_at as "updatedAt"`;

const OPENED_MAX = 500;
const OPENED_MS = 10 * 60 * 1_000;
const FAILED_MS = 2_000;

/** The OpenID providers of tenants: always asked for by tenant, so that none can serve another's. */
export class TenantProviders {
  readonly #vault: TenantVault;
  readonly #http = new OpenIdFetch();
  /** By tenant, provider and when it was changed last. Discovered again after ten minutes. */
  readonly #opened = new LRUCache<string, Promise<DiscoveredProvider>>({ max: OPENED_MAX, ttl: OPENED_MS });

  constructor(
    private readonly database: Database,
    masterKey: Secret,
  ) {
    this.#vault = new TenantVault(masterKey);
  }

  /** The tenant's providers, oldest first. */
  async list(tenantId: string): Promise<TenantProvider[]> {
    return this.database.asTenant(tenantId, (tx) =>
      tx.query(`select ${COLUMNS} from identity_providers where tenant_id = $1 order by created_at, id`, [tenantId]),
    );
  }

  /** One of the tenant's providers. */
  async find(tenantId: string, id: string): Promise<TenantProvider | undefined> {
    return (await this.list(tenantId)).find((provider) => provider.id === id);
  }

  /** The tenant's provider with an issuer. */
  async findByIssuer(tenantId: string, issuer: string): Promise<TenantProvider | undefined> {
    return (await this.list(tenantId)).find((provider) => provider.issuer === issuer);
  }

  /** What the tenant calls itself. */
  async tenantName(tenantId: string): Promise<string> {
    const rows: Array<{ name: string }> = await this.database.asTenant(tenantId, (tx) =>
      tx.query(`select name from tenants where id = $1`, [tenantId]),
    );
    return rows[0]?.name ?? '';
  }

  /** The provider with its metadata and keys. @throws OpenIdFailure when it cannot be used now */
  async open(provider: TenantProvider): Promise<DiscoveredProvider> {
    const key = `${provider.tenantId}|${provider.id}|${provider.updatedAt.getTime()}`;
    const known = this.#opened.get(key);
    if (known !== undefined) return known;
    const opening = this.#discover(provider);
    this.#opened.set(key, opening);
    // A provider that was away is asked again soon, but not once for everybody who waits.
    opening.catch(() => this.#opened.set(key, opening, { ttl: FAILED_MS }));
    return opening;
  }

  async stop(): Promise<void> {
    await this.#http.stop();
  }

  async #discover(provider: TenantProvider): Promise<DiscoveredProvider> {
    const { tenantId, id, issuer, clientId } = provider;
    const { secret, privateHosts } = await this.database.asTenant(tenantId, async (tx) => {
      const [sealed]: Array<{ dataKeyId: string; ciphertext: Buffer }> = await tx.query(
        `select secret_data_key_id as "dataKeyId", secret_ciphertext as ciphertext from identity_providers
         where tenant_id = $1 and id = $2`,
        [tenantId, id],
      );
      if (sealed === undefined) throw new Error('the provider was deleted meanwhile');
      const text = await this.#vault.open(tx, tenantId, clientSecretPurpose(id), sealed);
      return { secret: new Secret(text), privateHosts: await privateHostsOf(tx, tenantId) };
    });
    return discoverProvider({ issuer, clientId, clientSecret: secret }, this.#http, privateHosts);
  }
}
