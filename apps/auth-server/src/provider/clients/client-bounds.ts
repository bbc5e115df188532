import { errors, type Client, type KoaContextWithOIDC } from 'oidc-provider';
import { tenantOfClient, withImplied } from '#libs/identity';
import type { Target } from '../../access/resource-access.js';
import { MACHINE_SCOPES } from './tenant-clients.js';

/** The target, where tokens for it are given out now. @throws InvalidTarget */
export function requireActive(target: Target | undefined): Target {
  if (target === undefined) throw new errors.InvalidTarget('The resource is not a tenant URL of this platform.');
  if (target.suspended !== undefined) throw new errors.InvalidTarget(target.suspended);
  return target;
}

/** As `requireActive`; for a tenant's client every other tenant's URL is none at all. @throws InvalidTarget */
export function requireOwnTenant(client: Client, target: Target | undefined): Target {
  const tenantId = tenantOfClient(client.clientId);
  return requireActive(tenantId === undefined || target?.tenantId === tenantId ? target : undefined);
}

/** Refuses a proof of a key where tokens are bound to none (RFC 9449 §5). @throws InvalidRequest */
export function requireNoProof(ctx: KoaContextWithOIDC, client: Client): void {
  if (ctx.get('dpop') === '' && !client.dpopBoundAccessTokens) return;
  throw new errors.InvalidRequest('This grant gives plain bearer tokens. Ask again without a DPoP proof.');
}

/** What of a machine client's scopes means something at a target. */
export function ownScopesAt(client: Client, { scopes }: Target): string[] {
  return ownScopes(client).filter((scope) => scopes.includes(scope));
}

function ownScopes(client: Client): string[] {
  const given: unknown = client[MACHINE_SCOPES];
  return Array.isArray(given) ? given.map(String) : [];
}

/** Refuses what a machine client was not given, by name or with a wider scope; other clients get what people consent to. @throws InvalidScope */
export function requireOwnScopes(client: Client, requested: string): void {
  if (!client.grantTypeAllowed('client_credentials')) return;
  const asked = requested.split(' ');
  if (withImplied(ownScopes(client), asked).length === asked.length) return;
  throw new errors.InvalidScope('This client was not given such a scope by its tenant.', requested);
}
