import type { AuthorizationServerMetadata } from '@modelcontextprotocol/client';
import type { OpenIdFetch } from '#libs/openid';
import type { UpstreamClient } from '../connector.js';
import type { ConnectorSettings } from '../connector-settings.js';
import { protectedResource, type ProtectedResource } from './protected-resource.js';
import { read, unusable } from './unusable.js';

/** What we are to an upstream's authorization server. */
export interface OwnIdentity {
  /** Where it sends people back to: this connector's own address, so that no other server's answer can be mixed up with it. */
  readonly redirectUri: string;
  /** Where the document about this client is. */
  readonly documentUrl: string;
}

type Fetch = ReturnType<OpenIdFetch['for']>;
type Sdk = typeof import('@modelcontextprotocol/client');

const OFFLINE = 'offline_access';
const CLIENT_NAME = 'Wharf';
const SCOPES_MAX = 50;
const METHODS = ['none', 'client_secret_basic', 'client_secret_post'];

/**
 * Finds out who grants tokens for an upstream and as which client they are asked for: the one that the tenant registered,
 * a client-id metadata document, or a registration made now (RFC 7591), in this order.
 *
 * @throws OpenIdFailure with a sentence for whoever set it up
 */
export async function resolveClient(
  settings: ConnectorSettings,
  own: OwnIdentity,
  fetch: Fetch,
): Promise<UpstreamClient> {
  if (settings.endpoints !== undefined) return explicitClient(settings, settings.endpoints);
  const sdk = await import('@modelcontextprotocol/client');
  const resource = settings.resource === undefined ? undefined : await protectedResource(sdk, settings.resource, fetch);
  const issuer = issuerOf(settings, resource);
  const metadata = usable(
    issuer,
    await read(`The metadata of ${issuer}`, () => sdk.discoverAuthorizationServerMetadata(issuer, { fetchFn: fetch })),
    settings,
  );
  const client = await clientOf(sdk, { settings, own, fetch, metadata });
  return {
    issuer: metadata.issuer,
    authorizationEndpoint: metadata.authorization_endpoint,
    tokenEndpoint: metadata.token_endpoint,
    ...(typeof metadata.revocation_endpoint === 'string' ? { revocationEndpoint: metadata.revocation_endpoint } : {}),
    issuerInAnswers: metadata['authorization_response_iss_parameter_supported'] === true,
    ...(resource === undefined ? {} : { resource: resource.resource }),
    scopes: scopesOf(settings, resource, metadata),
    ...client,
  };
}

function explicitClient(
  { client, issuer, resource, scopes }: ConnectorSettings,
  { authorization, token, revocation }: NonNullable<ConnectorSettings['endpoints']>,
): UpstreamClient {
  if (client === undefined) throw unusable('Where endpoints are given, a client is needed: register one there.');
  return {
    issuer: issuer ?? new URL(token).origin,
    authorizationEndpoint: secure(authorization, token),
    tokenEndpoint: token,
    ...(revocation === undefined ? {} : { revocationEndpoint: secure(revocation, token) }),
    issuerInAnswers: false,
    ...(resource === undefined ? {} : { resource }),
    scopes,
    ...givenClient(client),
  };
}

function issuerOf({ issuer }: ConnectorSettings, resource: ProtectedResource | undefined): string {
  const named = resource?.authorization_servers ?? [];
  if (issuer !== undefined) {
    if (resource !== undefined && !named.some((name) => sameIssuer(name, issuer)))
      throw unusable(
        `${resource.resource} does not take tokens of ${issuer}. It names ${named.join(', ') || 'nobody'}.`,
      );
    return issuer;
  }
  const [first] = named;
  if (first === undefined) throw unusable('Nobody is named who grants tokens. Give an issuer, or endpoints.');
  return first;
}

type Usable = AuthorizationServerMetadata & Readonly<Record<string, unknown>>;

function usable(
  issuer: string,
  found: AuthorizationServerMetadata | undefined,
  { resource }: ConnectorSettings,
): Usable {
  if (found === undefined) throw unusable(`${issuer} publishes no metadata (RFC 8414). Give its endpoints.`);
  const metadata: Usable = { ...found };
  if (!sameIssuer(metadata.issuer, issuer))
    throw unusable(`${issuer} calls itself ${metadata.issuer}. Use exactly that.`);
  secure(metadata.authorization_endpoint, issuer);
  secure(metadata.token_endpoint, issuer);
  if (metadata.revocation_endpoint !== undefined) secure(String(metadata.revocation_endpoint), issuer);
  if (!metadata.response_types_supported.includes('code')) throw unusable(`${issuer} does not offer the code flow.`);
  const methods = metadata.code_challenge_methods_supported;
  if (methods === undefined ? resource !== undefined : !methods.includes('S256'))
    throw unusable(`${issuer} does not say that it takes PKCE with S256.`);
  return metadata;
}

/** An endpoint that is as safe to send secrets to as the server that names it, and no address of another kind. */
function secure(endpoint: string, like: string): string {
  const url = URL.parse(endpoint);
  if (url?.protocol !== 'https:' && url?.protocol !== new URL(like).protocol)
    throw unusable(`The endpoint ${JSON.stringify(endpoint.slice(0, 100))} is not https.`);
  if (url.username !== '' || url.password !== '' || url.hash !== '')
    throw unusable('An endpoint holds credentials or a fragment.');
  return endpoint;
}

interface Asking {
  readonly settings: ConnectorSettings;
  readonly own: OwnIdentity;
  readonly fetch: Fetch;
  readonly metadata: Usable;
}

type ClientPart = Pick<UpstreamClient, 'clientId' | 'method' | 'clientSecret' | 'secretName'>;

async function clientOf(sdk: Sdk, { settings, own, fetch, metadata }: Asking): Promise<ClientPart> {
  if (settings.client !== undefined) return givenClient(settings.client);
  if (metadata['client_id_metadata_document_supported'] === true && own.documentUrl.startsWith('https:'))
    return { clientId: own.documentUrl, method: 'none' };
  if (metadata.registration_endpoint === undefined)
    throw unusable(
      `${metadata.issuer} registers nobody by itself. Register a client there for ${own.redirectUri} and give its id.`,
    );
  secure(metadata.registration_endpoint, metadata.issuer);
  const clientMetadata = { ...clientDocument(own), token_endpoint_auth_method: methodFor(metadata) };
  const registered = await read(`The registration at ${metadata.issuer}`, () =>
    sdk.registerClient(metadata.issuer, { metadata, clientMetadata, fetchFn: fetch }),
  );
  const { client_id: clientId, client_secret: clientSecret } = registered;
  if (clientSecret === undefined) return { clientId, method: 'none' };
  const method = registered.token_endpoint_auth_method === 'client_secret_post' ? 'post' : 'basic';
  return { clientId, clientSecret, method };
}

/** How a client proves itself there that registers now: not at all where that is enough (OAuth 2.1, public clients). */
function methodFor({ issuer, token_endpoint_auth_methods_supported: methods = ['none'] }: Usable): string {
  const method = METHODS.find((known) => methods.includes(known));
  if (method !== undefined) return method;
  throw unusable(
    `${issuer} wants clients to prove themselves in another way (${methods.slice(0, 5).join(', ')}) than ${METHODS.join(', ')}.`,
  );
}

function givenClient({ id, secret, method }: NonNullable<ConnectorSettings['client']>): ClientPart {
  return secret === undefined ? { clientId: id, method: 'none' } : { clientId: id, secretName: secret, method };
}

/** What we tell an authorization server about ourselves; the same in a registration and in the document. */
export function clientDocument({ redirectUri }: Pick<OwnIdentity, 'redirectUri'>) {
  return {
    client_name: CLIENT_NAME,
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    application_type: redirectUri.startsWith('https:') ? ('web' as const) : ('native' as const),
  };
}

/** Given scopes, or those that the upstream names; and the one for refresh tokens, where there is one. */
function scopesOf(
  { scopes }: ConnectorSettings,
  resource: ProtectedResource | undefined,
  { scopes_supported: supported = [] }: Usable,
): string[] {
  const wanted = scopes.length > 0 ? scopes : (resource?.scopes ?? []).slice(0, SCOPES_MAX);
  return supported.includes(OFFLINE) && !wanted.includes(OFFLINE) ? [...wanted, OFFLINE] : [...wanted];
}

function sameIssuer(left: string, right: string): boolean {
  return left.replace(/\/$/, '') === right.replace(/\/$/, '');
}
