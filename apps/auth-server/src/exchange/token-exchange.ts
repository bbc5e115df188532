import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import type Provider from 'oidc-provider';
import { AppError } from '#libs/errors';
import {
  basicScope,
  tenantOfClient,
  type AccessTokenClaims,
  type AccessTokenVerifier,
  type Actor,
} from '#libs/identity';
import { decodeJwt } from 'jose';
import type { ResourceAccess, Target, TargetServer } from '../access/resource-access.js';
import type { Grants } from '../grants/grants.js';
import { requireNoProof, requireOwnTenant } from '../provider/clients/client-bounds.js';
import type { ToldGrants } from '../provider/consents/told-grants.js';
import { wasTold } from './passing-on.js';
import { TOKEN_EXCHANGE } from './grant-type.js';
import { exchangeable } from './exchanged-scope.js';

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const PARAMETERS = [
  'subject_token',
  'subject_token_type',
  'actor_token',
  'actor_token_type',
  'requested_token_type',
  'resource',
  'audience',
  'scope',
];
/** How many may stand between a caller and a server. */
const ACTORS_MAX = 4;
const ACCESS_TOKEN_SECONDS_MAX = 600;

/** What an exchange rests on. */
export interface TokenExchangeParts {
  readonly access: ResourceAccess;
  readonly grants: Pick<Grants, 'holds'>;
  readonly toldGrants: Pick<ToldGrants, 'find'>;
  readonly verifier: AccessTokenVerifier;
  /** Whether a tenant's client is there and enabled. */
  readonly holdsClient: (clientId: string) => Promise<boolean>;
}

/** What an exchanged token says beside what every token does. */
export interface ExchangedClaims {
  /** The grant of the token it was exchanged for: revoking that ends both. */
  readonly gid: string;
  readonly act: Actor;
}

/** Where a context's state holds the claims of the token that is being exchanged. */
const EXCHANGED = 'exchangedClaims';

/** The claims of the token that a request exchanges; undefined for every other request. */
export function exchangedClaims(ctx: KoaContextWithOIDC): ExchangedClaims | undefined {
  return ctx.state[EXCHANGED] as ExchangedClaims | undefined; // written by `exchange` below and nobody else
}

/**
 * Token exchange (RFC 8693): a server's own client gets a token to act for its caller at another server of the same
 * tenant. Never with more than the caller allowed it, never longer, never at another tenant; `act` says who acts.
 */
export function offerTokenExchange(provider: Provider, parts: TokenExchangeParts): void {
  provider.registerGrantType(TOKEN_EXCHANGE, (ctx) => exchange(provider, parts, ctx), PARAMETERS);
}

async function exchange(provider: Provider, parts: TokenExchangeParts, ctx: KoaContextWithOIDC): Promise<void> {
  const { client, params = {} } = ctx.oidc;
  if (client === undefined || client.clientAuthMethod === 'none') {
    throw new errors.UnauthorizedClient('Only a client that authenticates can exchange tokens.');
  }
  requireNoProof(ctx, client);
  const text = subjectToken(params);
  const target = requireOwnTenant(client, await requireTarget(parts.access, params));
  const subject = await requireSubject(parts, text);
  const from = await requireOwnServer(parts, subject, client.clientId, target);
  if (target.url === from.url) throw new errors.InvalidTarget('The token is for this resource already.');
  if (!(await parts.access.allows(subject.sub, target))) throw unacceptable('The caller may not use this tenant now.');
  const scope = requireScope(subject, from, target, params['scope']);
  ctx.state[EXCHANGED] = { gid: subject.gid, act: actor(client.clientId, subject.act) } satisfies ExchangedClaims;
  const token = new provider.AccessToken({
    accountId: subject.sub,
    client,
    grantId: subject.gid,
    gty: TOKEN_EXCHANGE,
    scope,
    expiresIn: Math.min(ACCESS_TOKEN_SECONDS_MAX, subject.exp - Math.floor(Date.now() / 1_000)),
    resourceServer: new provider.ResourceServer(target.url, {
      scope,
      audience: target.url,
      accessTokenFormat: 'jwt',
      jwt: { sign: { alg: 'ES256' } },
    }),
  });
  ctx.oidc.entity('AccessToken', token);
  const accessToken = await token.save();
  ctx.body = {
    access_token: accessToken,
    issued_token_type: ACCESS_TOKEN,
    token_type: 'Bearer',
    expires_in: token.expiration,
    scope,
  };
}

function subjectToken(params: Readonly<Record<string, unknown>>): string {
  const { subject_token: text, subject_token_type: type, requested_token_type: wanted = ACCESS_TOKEN } = params;
  if (typeof text !== 'string' || text === '') throw new errors.InvalidRequest('subject_token is missing');
  if (type !== ACCESS_TOKEN) throw new errors.InvalidRequest(`subject_token_type must be ${ACCESS_TOKEN}`);
  if (wanted !== ACCESS_TOKEN) throw new errors.InvalidRequest(`requested_token_type can only be ${ACCESS_TOKEN}`);
  if (params['actor_token'] !== undefined || params['actor_token_type'] !== undefined) {
    throw new errors.InvalidRequest('The actor is the client that authenticates; send no actor_token.');
  }
  return text;
}

/** The server that the new token is for. */
async function requireTarget(access: ResourceAccess, params: Readonly<Record<string, unknown>>): Promise<Target> {
  const { resource, audience } = params;
  if (audience !== undefined) throw new errors.InvalidTarget('Name the server by resource, not by audience.');
  if (typeof resource !== 'string') throw new errors.InvalidTarget('Say which server the token is for: resource.');
  const target = await access.findTarget(resource);
  if (target === undefined || target.kind !== 'server') throw unknownTarget();
  if (target.suspended !== undefined) throw new errors.InvalidTarget(target.suspended);
  return target;
}

/** The caller, as their token proves it. Tokens of machines hang on no grant of a person and cannot be exchanged. */
async function requireSubject(
  { verifier, grants, holdsClient }: TokenExchangeParts,
  text: string,
): Promise<AccessTokenClaims & { readonly gid: string }> {
  const claims = await verified(verifier, text);
  const { gid, cnf, client_id: clientId } = claims;
  if (cnf !== undefined)
    throw unacceptable('It is bound to a key, which proves its bearer; a server has no such proof.');
  if (gid === undefined) throw unacceptable('It was not given by a person.');
  const heldBy = tenantOfClient(clientId) === undefined || (await holdsClient(clientId));
  if (claims.exp * 1_000 <= Date.now() || !heldBy || !(await grants.holds(claims.tenant, gid))) {
    throw unacceptable('It has expired or was revoked.');
  }
  return { ...claims, gid };
}

async function verified(verifier: AccessTokenVerifier, text: string): Promise<AccessTokenClaims> {
  try {
    // The audience is one of ours or the token is refused below; the signature says that it was not altered.
    return await verifier.verifyUnproved(text, [String(decodeJwt(text).aud)]);
  } catch (error) {
    if (error instanceof AppError && error.code !== 'unauthenticated') throw error;
    throw unacceptable('It is no access token of this authorization server.');
  }
}

/**
 * What the subject token is for, where its tenant lets this client stand for a server there and go on to that one, and
 * whoever gave the grant was told so.
 */
async function requireOwnServer(
  { access, toldGrants }: TokenExchangeParts,
  subject: AccessTokenClaims & { readonly gid: string },
  clientId: string,
  to: Target,
): Promise<Target> {
  const from = await access.findTarget(subject.aud);
  if (from === undefined || from.tenantId !== subject.tenant) throw unacceptable('What it is for is gone.');
  const own = from.servers.filter(({ exchangeClients }) => exchangeClients.includes(clientId));
  if (own.length > 0) {
    if (from.tenantId !== to.tenantId) throw unknownTarget();
    if (from.url === to.url) return from;
    const slug = to.serverSlug ?? '';
    const named = own.filter(({ exchangeServers }) => exchangeServers.includes(slug));
    if (named.length === 0) throw unknownTarget();
    const told = await toldGrants.find(subject.gid);
    const exchangedBefore = subject.act !== undefined;
    if (named.some((server) => wasTold(told, { from: server.slug, to: slug }, exchangedBefore))) return from;
    throw new errors.InvalidTarget(
      'The caller allowed this before they could be told that it may be passed on to this server. Ask them to connect again.',
    );
  }
  throw new errors.UnauthorizedClient('The tenant of the subject token does not let this client act for its callers.');
}

/** What was asked for, or else reading, where the subject token allows as much. */
function requireScope(subject: AccessTokenClaims, from: Target, target: Target, asked: unknown): string {
  const server = serverOf(target);
  const serverSlug = from.kind === 'server' ? serverOf(from)?.slug : undefined;
  const may = server === undefined ? [] : exchangeable({ scopes: subject.scope.split(' '), serverSlug }, server);
  const least = may.includes(basicScope(server?.slug)) ? [basicScope(server?.slug)] : may;
  const wanted = typeof asked === 'string' ? [...new Set(asked.split(' '))] : least;
  if (wanted.length > 0 && wanted.every((scope) => may.includes(scope))) return wanted.join(' ');
  const scope = typeof asked === 'string' ? asked : '';
  throw new errors.InvalidScope('The subject token does not allow that much at this resource.', scope);
}

function serverOf({ servers }: Target): TargetServer | undefined {
  return servers[0];
}

/** Who acts now, and for whom it acts who acted before (RFC 8693 §4.1). */
function actor(clientId: string, before: Actor | undefined): Actor {
  let length = 1;
  for (let link = before; link !== undefined; link = link.act) length += 1;
  if (length > ACTORS_MAX)
    throw unacceptable(`It was exchanged ${length - 1} times already, which is as often as can be.`);
  return { sub: clientId, ...(before === undefined ? {} : { act: before }) };
}

/** RFC 8693 §2.2.2: a subject token that is not valid or not acceptable is `invalid_request`. */
function unacceptable(why: string): Error {
  return new errors.InvalidRequest(`The subject token is not acceptable. ${why}`);
}

/** Word for word the same whether it is another tenant's, does not exist, or is none that the server may go on to. */
function unknownTarget(): Error {
  return new errors.InvalidTarget(
    'The resource is not a server that this one may pass its callers on to. Its tenant names them in `token_exchange`.',
  );
}
