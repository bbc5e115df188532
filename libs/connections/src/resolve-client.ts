import type { AuthorizationServerMetadata, OAuthProtectedResourceMetadata } from '@modelcontextprotocol/client';
import { OpenIdFailure, type OpenIdFetch } from '#libs/openid';
import type { UpstreamClient } from './connector.js';
import type { ConnectorSettings } from './connector-settings.js';

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

/** What an MCP server says of itself (RFC 9728): at the address that its challenge names, or at the usual one. */
async function protectedResource(sdk: Sdk, url: string, fetch: Fetch): Promise<OAuthProtectedResourceMetadata> {
  const challenge = await challengeOf(url, fetch);
  const resourceMetadataUrl = challenge && sdk.extractWWWAuthenticateParams(challenge).resourceMetadataUrl;
  const options = resourceMetadataUrl === undefined ? {} : { resourceMetadataUrl };
  const found = await read(`What ${url} says of itself (RFC 9728)`, () =>
    sdk.discoverOAuthProtectedResourceMetadata(url, options, fetch),
  );
  if (!sdk.checkResourceAllowed({ requestedResource: url, configuredResource: found.resource }))
    throw unusable(`${url} says that it is ${found.resource}. Use that as the resource.`);
  return found;
}

/** How a server asks for a credential; undefined where it does not answer a plain request in time. */
async function challengeOf(url: string, fetch: Fetch): Promise<Response | undefined> {
  try {
    return await fetch(url, { method: 'GET', headers: { accept: 'text/event-stream' } });
  } catch (error) {
    if (error instanceof OpenIdFailure && error.kind === 'unreachable') return undefined;
    throw error;
  }
}

function issuerOf({ issuer }: ConnectorSettings, resource: OAuthProtectedResourceMetadata | undefined): string {
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
  const registered = await read(`The registration at ${metadata.issuer}`, () =>
    sdk.registerClient(metadata.issuer, { metadata, clientMetadata: clientDocument(own), fetchFn: fetch }),
  );
  const { client_id: clientId, client_secret: clientSecret } = registered;
  if (clientSecret === undefined) return { clientId, method: 'none' };
  const method = registered.token_endpoint_auth_method === 'client_secret_post' ? 'post' : 'basic';
  return { clientId, clientSecret, method };
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
  resource: OAuthProtectedResourceMetadata | undefined,
  { scopes_supported: supported = [] }: Usable,
): string[] {
  const wanted = scopes.length > 0 ? scopes : (resource?.scopes_supported ?? []).slice(0, SCOPES_MAX);
  return supported.includes(OFFLINE) && !wanted.includes(OFFLINE) ? [...wanted, OFFLINE] : [...wanted];
}

function sameIssuer(left: string, right: string): boolean {
  return left.replace(/\/$/, '') === right.replace(/\/$/, '');
}

/** Reads something of the upstream; whatever is wrong with it is told in one sentence. @throws OpenIdFailure */
async function read<Found>(what: string, reading: () => Promise<Found>): Promise<Found> {
  try {
    return await reading();
  } catch (error) {
    if (error instanceof OpenIdFailure) throw error;
    const detail = error instanceof Error ? error.message.slice(0, 200) : '';
    throw new OpenIdFailure('unusable', `${what} cannot be used: ${detail}`, { cause: error });
  }
}

function unusable(message: string): OpenIdFailure {
  return new OpenIdFailure('unusable', message);
}
