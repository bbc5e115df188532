import { mintClientId, mintClientSecret } from '#libs/identity';
import type { Answered, AuthWorld, TestClient } from './auth-world.fixture.js';

/** A client as a tenant registers it, with what differs from a machine client that has a secret. */
export interface TenantClientChanges {
  readonly kind?: 'public' | 'confidential' | 'machine';
  readonly auth_method?: 'none' | 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt';
  readonly redirect_uris?: readonly string[];
  readonly scopes?: readonly string[];
  readonly key_set?: object;
  readonly key_set_url?: string;
}

/** Registers a client as the management API does. */
export async function addClient(
  world: Pick<AuthWorld, 'owner'>,
  tenantId: string,
  changes: TenantClientChanges = {},
): Promise<TestClient> {
  const { kind = 'machine', auth_method: method = 'client_secret_post' } = changes;
  const id = mintClientId(tenantId);
  const secret = method.startsWith('client_secret_') ? mintClientSecret() : undefined;
  await world.owner.query(
    `insert into clients (tenant_id, id, kind, name, auth_method, redirect_uris, scopes, key_set, key_set_url, secret_hash)
     values ($1, $2, $3, 'Agent', $4, $5, $6, $7, $8, $9)`,
    [
      tenantId,
      id,
      kind,
      method,
      changes.redirect_uris ?? [],
      changes.scopes ?? (kind === 'machine' ? ['mcp'] : []),
      changes.key_set ?? null,
      changes.key_set_url ?? null,
      secret?.hash ?? null,
    ],
  );
  return {
    client_id: id,
    ...(secret === undefined ? {} : { client_secret: secret.text }),
    ...(changes.redirect_uris === undefined ? {} : { redirect_uris: changes.redirect_uris }),
  };
}

/** An `Authorization` header with a client's id and secret (RFC 6749 §2.3.1). */
export function basic({ client_id: id, client_secret: secret = '' }: TestClient): string {
  return `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`;
}

/** Posts a form to an endpoint, with headers. */
export async function postForm(
  world: Pick<AuthWorld, 'url'>,
  path: string,
  fields: Readonly<Record<string, string>> | URLSearchParams,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answered> {
  const body = new URLSearchParams(fields);
  const response = await fetch(`${world.url}${path}`, { method: 'POST', headers, body });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
}
