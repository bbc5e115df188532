import {
  allowInsecureRequests,
  ClientSecretPost,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  type ClientAuth,
  type Configuration,
  type CustomFetch,
  type ServerMetadata,
} from 'openid-client';
import type { Secret } from '#libs/config';
import { clientSecretBasic } from './client-secret.js';
import { OpenIdFailure } from './openid-failure.js';
import { PROVIDER_DEADLINE_MS, type OpenIdFetch, type PrivateHost } from './openid-fetch.js';

/** What must be known of a provider to find the rest. */
export interface DiscoverableProvider {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: Secret;
}

/** A provider with its metadata, ready to send people to. */
export interface DiscoveredProvider {
  readonly client: Configuration;
  readonly metadata: ServerMetadata & { readonly jwks_uri: string };
  readonly fetch: CustomFetch;
}

/** Signatures of ID tokens and assertions that are taken: never symmetric, never none. */
const SIGNATURES = ['RS256', 'PS256', 'ES256', 'ES384', 'RS384', 'RS512', 'PS384', 'PS512', 'EdDSA', 'Ed25519'];
const ENDPOINTS = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const;

/**
 * Reads a provider's metadata (OpenID Connect Discovery 1.0) and checks that people can be signed in with it: its
 * issuer is spelled the same, it has what the code flow needs, and it signs ID tokens with a key of its own.
 * @throws OpenIdFailure with a sentence for whoever connected it
 */
export async function discoverProvider(
  provider: DiscoverableProvider,
  http: OpenIdFetch,
  privateHosts: readonly PrivateHost[],
): Promise<DiscoveredProvider> {
  const fetch: CustomFetch = http.for(privateHosts);
  const issuer = new URL(provider.issuer);
  const secret = provider.clientSecret.reveal();
  const client = await found(provider.issuer, () =>
    discovery(issuer, provider.clientId, undefined, authenticatingBy(secret), {
      [customFetch]: fetch,
      timeout: PROVIDER_DEADLINE_MS / 1_000,
      // The token endpoint is not enough of a proof: signatures are checked, whoever answers.
      execute: [enableNonRepudiationChecks, ...(issuer.protocol === 'http:' ? [allowInsecureRequests] : [])],
    }),
  );
  const metadata = client.serverMetadata();
  return { client, metadata: usable(provider.issuer, metadata), fetch };
}

async function found(issuer: string, discover: () => Promise<Configuration>): Promise<Configuration> {
  try {
    return await discover();
  } catch (error) {
    const failure = failureIn(error);
    if (failure !== undefined) throw failure;
    throw new OpenIdFailure(
      'unusable',
      `No usable OpenID configuration is at ${issuer}/.well-known/openid-configuration: it must be JSON and name exactly this issuer.`,
      { cause: error },
    );
  }
}

/** Our own failure where a library has wrapped it. */
function failureIn(error: unknown): OpenIdFailure | undefined {
  if (error instanceof OpenIdFailure) return error;
  return error instanceof Error && error.cause !== undefined ? failureIn(error.cause) : undefined;
}

/** Secrets go into a header (RFC 6749 §2.3.1) unless the provider takes them in the body alone. */
function authenticatingBy(secret: string): ClientAuth {
  const [basic, post] = [clientSecretBasic(secret), ClientSecretPost(secret)];
  return (server, client, body, headers) => {
    const methods = server.token_endpoint_auth_methods_supported;
    const inBody = methods !== undefined && !methods.includes('client_secret_basic');
    return (inBody ? post : basic)(server, client, body, headers);
  };
}

function usable(issuer: string, metadata: ServerMetadata): DiscoveredProvider['metadata'] {
  const problem = problemOf(issuer, metadata);
  if (problem !== undefined) throw new OpenIdFailure('unusable', problem);
  const { jwks_uri: keys = '' } = metadata;
  return { ...metadata, jwks_uri: keys };
}

function problemOf(issuer: string, metadata: ServerMetadata): string | undefined {
  if (metadata.issuer !== issuer)
    return `The provider calls itself ${metadata.issuer}. Use exactly that as the issuer.`;
  const missing = ENDPOINTS.find((name) => typeof metadata[name] !== 'string' || !URL.canParse(metadata[name]));
  if (missing !== undefined) return `The provider’s configuration has no ${missing}.`;
  const insecure = ENDPOINTS.find((name) => new URL(metadata[name] ?? '').protocol !== new URL(issuer).protocol);
  if (insecure !== undefined) return `The provider’s ${insecure} is not ${new URL(issuer).protocol.slice(0, -1)}.`;
  if (metadata.response_types_supported?.includes('code') === false) {
    return 'The provider does not offer the authorization code flow (response type code).';
  }
  const methods = metadata.code_challenge_methods_supported;
  if (methods !== undefined && !methods.includes('S256')) return 'The provider refuses PKCE with S256.';
  const signatures = metadata.id_token_signing_alg_values_supported;
  if (signatures !== undefined && !signatures.some((name) => SIGNATURES.includes(name))) {
    return `The provider signs ID tokens with none of ${SIGNATURES.join(', ')}.`;
  }
  return undefined;
}
