import type { AccessToken, Client, ClientCredentials, RefreshToken } from 'oidc-provider';
import { tenantOfClient } from '#libs/identity';

type AnyToken = AccessToken | ClientCredentials | RefreshToken;

/**
 * Whether a client may learn of a token: its own, and a client of a tenant the access tokens of that tenant (RFC 7662
 * §2.2). Any other looks to it as if it were not there.
 */
export function mayIntrospect(client: Client, token: AnyToken): boolean {
  if (token.clientId === client.clientId) return true;
  const tenantId = tenantOfClient(client.clientId);
  return tenantId !== undefined && 'extra' in token && token.extra?.['tenant'] === tenantId;
}

/** Whether a client may revoke a token: its own (RFC 7009 §2.1). */
export function mayRevoke(client: Client, token: AnyToken): boolean {
  return token.clientId === client.clientId;
}
