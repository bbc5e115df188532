import type { AdapterPayload, ClientAuthMethod, JWKS } from 'oidc-provider';
import type { Database } from '#libs/database';
import { applicationTypeOf, tenantOfClient } from '#libs/identity';
import { storedSecret } from './hashed-secrets.js';

/** The client metadata of ours: the scopes that a machine client may ask for. */
export const MACHINE_SCOPES = 'wharf_scopes';

interface ClientRow {
  readonly kind: 'public' | 'confidential' | 'machine';
  readonly name: string;
  readonly auth_method: ClientAuthMethod;
  readonly redirect_uris: string[];
  readonly scopes: string[];
  readonly key_set: JWKS | null;
  readonly key_set_url: string | null;
  readonly secret_hash: string | null;
  readonly previous_secret_hash: string | null;
}

/** The clients that tenants registered for their own URLs, looked up among their own tenant's alone. */
export class TenantClients {
  constructor(private readonly database: Database) {}

  /** The metadata of a client that is there and enabled, as the provider knows metadata. */
  async find(clientId: string): Promise<AdapterPayload | undefined> {
    const tenantId = tenantOfClient(clientId);
    if (tenantId === undefined) return undefined;
    const rows: ClientRow[] = await this.database.asTenant(tenantId, (tx) =>
      tx.query(
        `select kind, name, auth_method, redirect_uris, scopes, key_set, key_set_url, secret_hash,
           case when previous_secret_expires_at > now() then previous_secret_hash end as previous_secret_hash
         from clients where tenant_id = $1 and id = $2 and enabled`,
        [tenantId, clientId],
      ),
    );
    return rows[0] && metadataOf(clientId, rows[0]);
  }

  /** Notes that a client got a token; clients that are no tenant's pass. */
  async noteUse(clientId: string): Promise<void> {
    const tenantId = tenantOfClient(clientId);
    if (tenantId === undefined) return;
    await this.database.asTenant(tenantId, (tx) =>
      tx.query(`update clients set last_used_at = now() where tenant_id = $1 and id = $2`, [tenantId, clientId]),
    );
  }
}

function metadataOf(clientId: string, row: ClientRow): AdapterPayload {
  const machine = row.kind === 'machine';
  const hashes = [row.secret_hash, row.previous_secret_hash].filter((hash) => hash !== null);
  return {
    client_id: clientId,
    client_name: row.name,
    application_type: applicationTypeOf(row.redirect_uris),
    redirect_uris: row.redirect_uris,
    grant_types: machine ? ['client_credentials'] : ['authorization_code', 'refresh_token'],
    response_types: machine ? [] : ['code'],
    token_endpoint_auth_method: row.auth_method,
    ...(hashes.length === 0 ? {} : { client_secret: storedSecret(hashes) }),
    ...(row.key_set === null ? {} : { jwks: row.key_set }),
    ...(row.key_set_url === null ? {} : { jwks_uri: row.key_set_url }),
    ...(machine ? { [MACHINE_SCOPES]: row.scopes } : {}),
  };
}
