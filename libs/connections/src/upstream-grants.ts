import {
  allowInsecureRequests,
  ClientSecretPost,
  Configuration,
  customFetch,
  None,
  refreshTokenGrant,
  ResponseBodyError,
  tokenRevocation,
  type TokenEndpointResponse,
} from 'openid-client';
import { clientSecretBasic, type OpenIdFetch } from '#libs/openid';
import type { Granted } from './connection.js';
import type { UpstreamClient } from './connector.js';

type Fetch = ReturnType<OpenIdFetch['for']>;

/** When a token that does not say how long it is good is renewed, where it can be. */
const DEFAULT_SECONDS = 3_600;
const TIMEOUT_SECONDS = 5;

/** A client as the OAuth library wants it; requests leave through `fetch` alone. */
export function configurationOf(client: UpstreamClient, secret: string | undefined, fetch: Fetch): Configuration {
  const { method } = client;
  const authentication =
    method === 'none' || secret === undefined
      ? None()
      : method === 'basic'
        ? clientSecretBasic(secret)
        : ClientSecretPost(secret);
  const server = {
    issuer: client.issuer,
    authorization_endpoint: client.authorizationEndpoint,
    token_endpoint: client.tokenEndpoint,
    ...(client.revocationEndpoint === undefined ? {} : { revocation_endpoint: client.revocationEndpoint }),
    authorization_response_iss_parameter_supported: client.issuerInAnswers,
  };
  const configuration = new Configuration(server, client.clientId, undefined, authentication);
  configuration[customFetch] = fetch;
  configuration.timeout = TIMEOUT_SECONDS;
  // Whether a plain address may be asked is for the guarded fetch to say, which knows what an operator opened.
  if (new URL(client.tokenEndpoint).protocol === 'http:') allowInsecureRequests(configuration);
  return configuration;
}

/** What a token endpoint granted, good at these origins; what it does not say again stays as it was. */
export function grantedBy(
  { client, origins, asked }: Pick<Granted, 'client' | 'origins' | 'asked'>,
  answer: TokenEndpointResponse,
  before?: Granted,
): Granted {
  const { access_token: accessToken, refresh_token: refreshToken = before?.refreshToken, expires_in: seconds } = answer;
  const scope = answer.scope ?? before?.scope ?? ((asked ?? client.scopes).join(' ') || undefined);
  return {
    client,
    origins,
    accessToken,
    ...(refreshToken === undefined ? {} : { refreshToken }),
    ...(seconds === undefined && refreshToken === undefined
      ? {}
      : { expiresAtMs: Date.now() + (seconds ?? DEFAULT_SECONDS) * 1_000 }),
    ...(scope === undefined ? {} : { scope }),
    ...(asked === undefined ? {} : { asked }),
  };
}

/** Refreshes what was granted. @throws ResponseBodyError as the token endpoint refused, OpenIdFailure when it is away */
export async function refreshGranted(granted: Granted, secret: string | undefined, fetch: Fetch): Promise<Granted> {
  const { client, refreshToken = '' } = granted;
  const answer = await refreshTokenGrant(
    configurationOf(client, secret, fetch),
    refreshToken,
    client.resource === undefined ? undefined : { resource: client.resource },
  );
  return grantedBy(granted, answer, granted);
}

/** Whether a token endpoint says that what was granted is over, rather than that something went wrong now. */
export function isTakenBack(error: unknown): boolean {
  return error instanceof ResponseBodyError && error.error === 'invalid_grant';
}

/** Revokes what was granted at its upstream (RFC 7009); false where the upstream offers no way. */
export async function revokeGranted(granted: Granted, secret: string | undefined, fetch: Fetch): Promise<boolean> {
  const { client, accessToken, refreshToken } = granted;
  if (client.revocationEndpoint === undefined) return false;
  const configuration = configurationOf(client, secret, fetch);
  if (refreshToken !== undefined)
    await tokenRevocation(configuration, refreshToken, { token_type_hint: 'refresh_token' });
  await tokenRevocation(configuration, accessToken, { token_type_hint: 'access_token' });
  return true;
}
