import type { z } from 'zod';
import type { ClientRow } from './clients.repository.js';
import type { clientSchema } from './clients.schema.js';

/** A client as the API shows it. */
export function clientView(row: ClientRow): z.input<typeof clientSchema> {
  return {
    client_id: row.id,
    kind: row.kind,
    name: row.name,
    token_endpoint_auth_method: row.auth_method,
    redirect_uris: row.redirect_uris,
    scopes: row.scopes,
    jwks: row.key_set,
    jwks_uri: row.key_set_url,
    enabled: row.enabled,
    created_at: row.created_at.toISOString(),
    last_used_at: row.last_used_at?.toISOString() ?? null,
    previous_secret_expires_at: row.previous_secret_expires_at?.toISOString() ?? null,
  };
}
