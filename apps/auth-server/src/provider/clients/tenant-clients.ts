import Provider, { type AdapterPayload, type ClientAuthMethod, type JWKS } from 'oidc-provider';
import type { Database } from '#libs/database';
import { applicationTypeOf, tenantOfClient } from '#libs/identity';
import { TOKEN_EXCHANGE } from '../../exchange/grant-type.js';
import { JWT_BEARER } from '../../federation/grant-type.js';
import type { ClientKeySets } from '../client-proofs/client-key-sets.js';
import { storedSecret } from '../client-proofs/hashed-secrets.js';

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

/** How each kind gets tokens. Whether it may exchange any, servers of its tenant say; whether assertions count, its provider. */
const GRANT_TYPES = {
  public: ['authorization_code', 'refresh_token'],
  confidential: ['authorization_code', 'refresh_token', TOKEN_EXCHANGE, JWT_BEARER],
  machine: ['client_credentials', TOKEN_EXCHANGE],
} as const;

/** The clients that tenants registered for their own URLs, looked up among their own tenant's alone. */
export class TenantClients {
  constructor(
    private readonly database: Database,
    private readonly keySets: ClientKeySets,
  ) {}

  /** The metadata of a client that is there and enabled, as the provider knows metadata. */
  async find(clientId: string): Promise<AdapterPayload | undefined> {
    const row = await this.#findRow(clientId);
    return row && metadataOf(clientId, row, await this.#keysOf(row));
  }

  /** Whether a client is there and enabled. */
  async holds(clientId: string): Promise<boolean> {
    return (await this.#findRow(clientId)) !== undefined;
  }

  async #findRow(clientId: string): Promise<ClientRow | undefined> {
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
    return rows[0];
  }

  /** The keys that an assertion is checked by; they are not asked for where there is none. */
  async #keysOf({ key_set: own, key_set_url: url }: ClientRow): Promise<JWKS | undefined> {
    if (url === null) return own ?? undefined;
    const { client_assertion: assertion } = Provider.ctx?.oidc.params ?? {};
    return assertion === undefined ? { keys: [] } : this.keySets.at(url);
  }
}

/** Notes that a client got a token; clients that are no tenant's pass. */
export async function noteClientUse(database: Database, clientId: string): Promise<void> {
  const tenantId = tenantOfClient(clientId);
  if (tenantId === undefined) return;
  await database.asTenant(tenantId, (tx) =>
    tx.query(`update clients set last_used_at = now() where tenant_id = $1 and id = $2`, [tenantId, clientId]),
  );
}

function metadataOf(clientId: string, row: ClientRow, keySet: JWKS | undefined): AdapterPayload {
  const machine = row.kind === 'machine';
  const hashes = [row.secret_hash, row.previous_secret_hash].filter((hash) => hash !== null);
  return {
    client_id: clientId,
    client_name: row.name,
    application_type: applicationTypeOf(row.redirect_uris),
    redirect_uris: row.redirect_uris,
    grant_types: [...GRANT_TYPES[row.kind]],
    response_types: machine ? [] : ['code'],
    token_endpoint_auth_method: row.auth_method,
    ...(hashes.length === 0 ? {} : { client_secret: storedSecret(hashes) }),
    ...(keySet === undefined ? {} : { jwks: keySet }),
    ...(machine ? { [MACHINE_SCOPES]: row.scopes } : {}),
  };
}
