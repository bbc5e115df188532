import { errors, type Client, type Configuration, type KoaContextWithOIDC, type ResourceServer } from 'oidc-provider';
import { withImplied } from '#libs/identity';
import { ownScopesAt, requireActive, requireOwnScopes, requireOwnTenant } from '../clients/client-bounds.js';
import type { ResourceAccess, Target } from '../../access/resource-access.js';
import type { Accounts } from '../../accounts/accounts.js';
import { exchangedClaims } from '../../exchange/token-exchange.js';
import { hashId } from '../artifacts/artifact-store.js';
import { toldAt } from '../../exchange/passing-on.js';
import type { Consents } from '../consents/consents.js';
import type { ToldGrants } from '../consents/told-grants.js';
import { saveGrant } from '../browsers/interaction-door.js';
import type { RefreshTokenStore } from '../models/refresh-token-store.js';

export const ACCESS_TOKEN_SECONDS = 600;
const SCOPES_NAMED = 10;

/** What decides for which URL, for whom and for how long tokens are minted. */
export interface ResourceRuleParts {
  readonly access: ResourceAccess;
  readonly accounts: Accounts;
  readonly consents: Consents;
  readonly toldGrants: ToldGrants;
}

/**
 * The provider's rules of resources (RFC 8707): every authorization names exactly one URL of ours, every access token
 * is a JWT for exactly it, and whoever may no longer use it gets no further token.
 */
export function resourceRules(parts: ResourceRuleParts, refreshTokens: RefreshTokenStore): Configuration {
  return {
    findAccount: (_ctx, id, source) => findAccount(parts, id, resourceOf(source)),
    loadExistingGrant: (ctx) => loadExistingGrant(parts, ctx),
    extraTokenClaims: async (ctx, token) => ({
      ...('grantId' in token && typeof token.grantId === 'string' ? { gid: hashId(token.grantId) } : {}),
      tenant: requireActive(await parts.access.findTarget(String('aud' in token ? token.aud : ''))).tenantId,
      ...exchangedClaims(ctx),
    }),
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: () => false,
    rotateRefreshToken: (ctx) => rotate(ctx, refreshTokens),
  };
}

/** The provider's feature for resource indicators. */
export function resourceIndicators(
  access: ResourceAccess,
): NonNullable<NonNullable<Configuration['features']>['resourceIndicators']> {
  return {
    enabled: true,
    defaultResource: () => {
      throw new errors.InvalidTarget(
        'Say which tenant URL the token is for: send it as the resource parameter (RFC 8707), exactly one.',
      );
    },
    useGrantedResource: () => true,
    getResourceServerInfo: (ctx, resource, client) => resourceServer(access, ctx, resource, client),
  };
}

async function resourceServer(
  access: ResourceAccess,
  ctx: KoaContextWithOIDC,
  url: string,
  client: Client,
): Promise<ResourceServer> {
  const requested = ctx.oidc.params?.['resource'];
  if (Array.isArray(requested) && requested.length > 1) {
    throw new errors.InvalidTarget('Ask for one resource at a time.');
  }
  const target = requireOwnTenant(client, await access.findTarget(url));
  const scope = scopeAsked(ctx, client, target);
  requireOwnScopes(client, typeof scope === 'string' ? scope : '');
  if (typeof scope === 'string' && !scope.split(' ').some((name) => target.scopes.includes(name))) {
    throw new errors.InvalidScope(`This resource knows ${named(target.scopes)}; ask for what you need.`, scope);
  }
  return {
    scope: target.scopes.join(' '),
    audience: target.url,
    accessTokenTTL: ACCESS_TOKEN_SECONDS,
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg: 'ES256' } },
  };
}

/** What was asked for. A machine that names no scope asks for all that its tenant gave it here. */
function scopeAsked({ oidc: { params } }: KoaContextWithOIDC, client: Client, target: Target): unknown {
  if (params === undefined || params['grant_type'] !== 'client_credentials') return params?.['scope'];
  if (typeof params['scope'] !== 'string' || params['scope'].trim() === '') {
    params['scope'] = ownScopesAt(client, target).join(' ');
  }
  return params['scope'];
}

function named(scopes: readonly string[]): string {
  return `${scopes.slice(0, SCOPES_NAMED).join(', ')}${scopes.length > SCOPES_NAMED ? ' and more' : ''}`;
}

async function findAccount({ accounts, access }: ResourceRuleParts, id: string, resource: string | undefined) {
  const account = await accounts.find(id);
  if (account === undefined) return undefined;
  if (resource !== undefined) {
    const target = await access.findTarget(resource);
    if (target === undefined || !(await access.allows(id, target))) return undefined;
  }
  return { accountId: account.id, claims: () => ({ sub: account.id }) };
}

/**
 * A new grant for what this person has allowed this client here before, unless they may no longer, or would be passed on
 * to a server that they were not told of.
 */
async function loadExistingGrant({ access, consents, toldGrants }: ResourceRuleParts, ctx: KoaContextWithOIDC) {
  const { client, account, provider, params, result } = ctx.oidc;
  if (result?.consent?.grantId !== undefined) return provider.Grant.find(result.consent.grantId);
  // A person is asked about an app on their machine every time (RFC 8252 §8.6), whatever they allowed before.
  if (client?.applicationType === 'native') return undefined;
  const resource = resourceOf(params);
  const target = resource === undefined ? undefined : await access.findTarget(resource);
  if (client === undefined || account === undefined || target === undefined) return undefined;
  if (!(await access.allows(account.accountId, target))) return undefined;
  const key = { accountId: account.accountId, clientId: client.clientId, resource: target.url };
  const { scopes, told } = await consents.find(key);
  const passedOn = toldAt(target);
  if (scopes.length === 0 || !passedOn.every((line) => told.includes(line))) return undefined;
  const all = new Set([...scopes, ...withImplied(scopes, target.scopes)]);
  const grantId = await saveGrant(provider, key, [...all]);
  await toldGrants.bind(grantId, passedOn);
  return provider.Grant.find(grantId);
}

async function rotate(ctx: KoaContextWithOIDC, refreshTokens: RefreshTokenStore): Promise<boolean> {
  const rotation = await refreshTokens.rotationOf(ctx.oidc.entities.RefreshToken?.jti ?? '');
  if (rotation.kind === 'repeat') ctx.state['replacement'] = rotation.replacement;
  return rotation.kind === 'rotate';
}

function resourceOf(source: unknown): string | undefined {
  const resource = typeof source === 'object' && source !== null ? Reflect.get(source, 'resource') : undefined;
  const first: unknown = Array.isArray(resource) ? resource[0] : resource;
  return typeof first === 'string' ? first : undefined;
}
