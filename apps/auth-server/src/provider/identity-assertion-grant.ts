import type Provider from 'oidc-provider';
import { errors, type Client, type KoaContextWithOIDC } from 'oidc-provider';
import { withImplied } from '#libs/identity';
import type { ResourceAccess, Target } from '../access/resource-access.js';
import type { Admission } from '../federation/admission.js';
import { JWT_BEARER } from '../federation/grant-type.js';
import { AssertionRefused, type AssertionClaims, type IdentityAssertions } from '../federation/identity-assertion.js';
import { ReplayedRequest } from '../replayed-request.js';
import { requireNoProof, requireOwnTenant } from './clients/client-bounds.js';
import { saveGrant } from './browsers/interaction-door.js';
import { resourceIndicators } from './resources/resource-rules.js';

/** What metadata names to say that identity assertions are taken. */
export const ID_JAG_PROFILE = 'urn:ietf:params:oauth:grant-profile:id-jag';

/** What the grant rests on. */
export interface IdentityAssertionParts {
  readonly access: ResourceAccess;
  readonly assertions: Pick<IdentityAssertions, 'verify'>;
  readonly admission: Pick<Admission, 'admit'>;
  /** Whether an assertion was not used before; from now on it was. */
  readonly isFirstUse: (use: { tenantId: string; issuer: string; jti: string; seconds: number }) => Promise<boolean>;
}

/**
 * Teaches the provider to trade an identity assertion (ID-JAG) of a tenant's own OpenID provider for an access token:
 * for exactly the tenant URL that the assertion names, without a refresh token, so that the provider decides anew each
 * time.
 */
export function registerIdentityAssertions(provider: Provider, parts: IdentityAssertionParts): void {
  provider.registerGrantType(JWT_BEARER, (ctx) => exchange(provider, parts, ctx), ['assertion', 'scope', 'resource']);
}

async function exchange(provider: Provider, parts: IdentityAssertionParts, ctx: KoaContextWithOIDC): Promise<void> {
  const client = confidential(ctx.oidc.client);
  requireNoProof(ctx, client);
  const { target, accountId, scopes } = await admitted(parts, ctx, client);
  const info = await resourceServerOf(parts.access, ctx, target, client);
  const asked = scopes.filter((scope) => info.scope.split(' ').includes(scope));
  if (asked.length === 0) {
    throw new errors.InvalidScope(
      'This resource knows none of these scopes; ask for one of its own.',
      scopes.join(' '),
    );
  }
  const grantId = await saveGrant(provider, { accountId, clientId: client.clientId, resource: target.url }, asked);
  const resourceServer = new provider.ResourceServer(target.url, info);
  const token = new provider.AccessToken({ accountId, client, grantId, gty: JWT_BEARER, scope: asked.join(' ') });
  token.resourceServer = resourceServer;
  ctx.oidc.entity('AccessToken', token);
  const value = await token.save();
  ctx.body = { access_token: value, expires_in: token.expiration, scope: token.scope, token_type: token.tokenType };
}

/** What anybody can claim to be cannot be what an assertion was issued to. */
function confidential(client: Client | undefined): Client {
  if (client === undefined || client.clientAuthMethod === 'none') {
    throw refusal('unauthorized_client', 'Only clients with credentials may bring assertions.');
  }
  return client;
}

async function admitted(
  parts: IdentityAssertionParts,
  ctx: KoaContextWithOIDC,
  client: Client,
): Promise<{ readonly target: Target; readonly accountId: string; readonly scopes: readonly string[] }> {
  const { assertion, resource } = ctx.oidc.params ?? {};
  if (typeof assertion !== 'string' || assertion === '') throw new errors.InvalidRequest('assertion is missing');
  const held = await heldBy(parts, assertion, client.clientId);
  const { provider, target, claims, seconds } = held;
  if (resource !== undefined && resource !== target.url) {
    throw new errors.InvalidTarget('The assertion is for another resource.');
  }
  requireOwnTenant(client, target);
  const scopes = scopesOf(claims, await parts.access.basicScopeOf(target.url), ctx.oidc.params?.['scope']);
  const { tenantId } = target;
  if (!(await parts.isFirstUse({ tenantId, issuer: provider.issuer, jti: claims.jti, seconds }))) {
    throw refusal('invalid_grant', 'The assertion was used before.');
  }
  const address = ctx.req instanceof ReplayedRequest ? ctx.req.address : 'unknown';
  const outcome = await parts.admission.admit(provider, claims, {
    clientId: client.clientId,
    address,
    by: 'assertion',
  });
  if (outcome.kind === 'refused' || !(await parts.access.allows(outcome.accountId, target))) {
    throw refusal('invalid_grant', 'The person has no access to this resource.');
  }
  return { target, accountId: outcome.accountId, scopes };
}

async function heldBy({ assertions }: IdentityAssertionParts, assertion: string, clientId: string) {
  try {
    return await assertions.verify(assertion, clientId);
  } catch (error) {
    if (error instanceof AssertionRefused) throw refusal(error.error, error.message);
    throw error;
  }
}

/** What is asked for may be less than what the assertion allows, never more. */
function scopesOf(claims: AssertionClaims, least: string | undefined, asked: unknown): readonly string[] {
  const allowed = claims.scope === undefined ? undefined : wordsOf(claims.scope);
  const wanted = typeof asked === 'string' ? wordsOf(asked) : (allowed ?? (least === undefined ? [] : [least]));
  const within = allowed === undefined ? wanted : withImplied(allowed, wanted);
  const beyond = wanted.filter((scope) => !within.includes(scope));
  if (beyond.length > 0) {
    throw new errors.InvalidScope('The assertion does not allow this scope.', beyond.join(' '));
  }
  return wanted;
}

function wordsOf(scope: string): string[] {
  return scope.split(' ').filter((word) => word !== '');
}

async function resourceServerOf(access: ResourceAccess, ctx: KoaContextWithOIDC, target: Target, client: Client) {
  const rules = resourceIndicators(access).getResourceServerInfo;
  if (rules === undefined) throw new Error('resources have no rules');
  return rules(ctx, target.url, client);
}

function refusal(error: string, description: string): errors.CustomOIDCProviderError {
  const refused = new errors.CustomOIDCProviderError(error, description);
  const status = error === 'temporarily_unavailable' ? 503 : 400;
  return Object.assign(refused, { status, statusCode: status });
}
