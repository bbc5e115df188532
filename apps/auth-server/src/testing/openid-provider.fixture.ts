import { Database, newId } from '#libs/database';
import { clientSecretPurpose } from '#libs/openid';
import { TenantVault } from '#libs/secrets';
import { COMPANY_CLIENT, CompanyProvider } from '#libs/testing';
import type { AuthWorld } from './auth-world.fixture.js';

/** Starts a company's provider for these tenants of the world. */
export async function startCompany(world: AuthWorld, slugs: readonly string[]): Promise<CompanyProvider> {
  return CompanyProvider.start(slugs.map((slug) => `${world.url}/auth/federation/${slug}/callback`));
}

/** Connects a provider to a tenant as the management API would; returns its id. */
export async function connectProvider(
  world: AuthWorld,
  tenantId: string,
  { issuer, port }: Pick<CompanyProvider, 'issuer' | 'port'>,
  changes: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const id = newId();
  const database = await Database.connect({ ...world.store, role: 'wharf_control', poolSize: 1 });
  const vault = new TenantVault(world.store.masterKey);
  const sealed = await database.asTenant(tenantId, (tx) =>
    vault.seal(tx, tenantId, clientSecretPurpose(id), COMPANY_CLIENT.secret),
  );
  await database.close();
  const row: Record<string, unknown> = {
    tenant_id: tenantId,
    id,
    name: 'Company',
    issuer,
    client_id: COMPANY_CLIENT.id,
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
