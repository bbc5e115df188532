import * as oauth from 'openid-client';
import { z } from 'zod';
import { CliProblem } from '../problem.js';
import { whyUnanswered } from './unanswered.js';
import type { HeldGrant } from './profiles.js';

/** What tokens are asked for. */
export interface ProtectedResource {
  readonly resource: string;
  /** What is asked for first. */
  readonly scope: string;
  readonly issuer: URL;
}

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const REQUEST_SECONDS = 30;
const OWN_METADATA = {
  client_name: 'Wharf command line',
  redirect_uris: [],
  grant_types: [DEVICE_GRANT, 'refresh_token'],
  response_types: [],
  token_endpoint_auth_method: 'none',
};

const metadataSchema = z.object({
  authorization_servers: z.tuple([z.url()], z.string()),
  scopes_supported: z.array(z.string()).default([]),
});

/** What a person is told to open while the program waits. */
export interface DeviceCode {
  readonly code: string;
  readonly url: string;
  readonly urlWithCode: string;
}

/** A public client of an installation's authorization server that people sign in to with another device (RFC 8628). */
export class Authorization {
  private constructor(
    private readonly server: oauth.Configuration,
    readonly clientId: string,
  ) {}

  /** Finds the authorization server of a resource, and registers with it unless that was done before. */
  static async of(resource: ProtectedResource, clientId: string | undefined): Promise<Authorization> {
    const { issuer } = resource;
    const options = {
      timeout: REQUEST_SECONDS,
      ...(issuer.protocol === 'http:' ? { execute: [oauth.allowInsecureRequests] } : {}),
    };
    if (clientId !== undefined) {
      return new Authorization(await oauth.discovery(issuer, clientId, undefined, oauth.None(), options), clientId);
    }
    const server = await oauth.dynamicClientRegistration(issuer, OWN_METADATA, oauth.None(), options);
    return new Authorization(server, server.clientMetadata().client_id);
  }

  /** Lets a person allow us to use a resource; ends when they have, or when their time is over. */
  async signIn({ resource, scope }: ProtectedResource, show: (code: DeviceCode) => void): Promise<HeldGrant> {
    const started = await oauth.initiateDeviceAuthorization(this.server, {
      resource,
      scope: `${scope} offline_access`.trim(),
    });
    show({
      code: started.user_code,
      url: started.verification_uri,
      urlWithCode: started.verification_uri_complete ?? started.verification_uri,
    });
    const tokens = await oauth
      .pollDeviceAuthorizationGrant(this.server, started, { resource })
      .catch((cause: unknown) => {
        throw whyNotAllowed(cause, started.user_code);
      });
    return heldGrant(tokens);
  }

  /** New tokens; undefined where the person has to sign in again. */
  async refresh(resource: string, refreshToken: string): Promise<HeldGrant | undefined> {
    try {
      return heldGrant(await oauth.refreshTokenGrant(this.server, refreshToken, { resource }), refreshToken);
    } catch (error) {
      if (error instanceof oauth.ResponseBodyError) return undefined;
      throw error;
    }
  }

  /** Ends a grant at the server. */
  async revoke(refreshToken: string): Promise<void> {
    await oauth.tokenRevocation(this.server, refreshToken, { token_type_hint: 'refresh_token' });
  }
}

/** Asks a resource whom it takes tokens from (RFC 9728). @throws CliProblem where nothing of ours answers */
export async function protectedResource(resource: string): Promise<ProtectedResource> {
  const { origin, pathname } = new URL(resource);
  const url = `${origin}/.well-known/oauth-protected-resource${pathname}`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(REQUEST_SECONDS * 1000) }).catch((cause: unknown) => {
    throw new CliProblem(`${origin} does not answer: ${reasonOf(cause)}`, 'Check the URL (--url).', { cause });
  });
  const { success, data } = metadataSchema.safeParse(await answer.json().catch(() => undefined));
  if (!success) throw new CliProblem(`There is nothing to sign in to at ${resource}.`, 'Check --url and --tenant.');
  return { resource, scope: data.scopes_supported.join(' '), issuer: new URL(data.authorization_servers[0]) };
}

/** Why a code that was shown led to nothing (RFC 8628 §3.5), and what to do. */
function whyNotAllowed(cause: unknown, code: string): CliProblem {
  const error = cause instanceof oauth.ResponseBodyError ? cause.error : undefined;
  if (error === 'expired_token' || (cause instanceof oauth.ClientError && cause.code === 'OAUTH_TIMEOUT'))
    return new CliProblem(
      `The code ${code} has expired: nobody opened the link and allowed it in time. You are not signed in.`,
      'Run the command again; it shows a new link and code. Open that link and allow it within ten minutes.',
      { cause },
    );
  if (error === 'access_denied')
    return new CliProblem(
      `It was refused in the browser, or the account that signed in there has no access: ${reasonOf(cause)}`,
      'If that was a mistake, run the command again and choose to allow it, with an account that has access. ' +
        'Whose role does not manage the tenant signs in with `wharf login --for-calls`.',
      { cause },
    );
  return new CliProblem(`The sign-in broke off: ${reasonOf(cause)}`, 'Run the command again.', { cause });
}

function heldGrant(tokens: oauth.TokenEndpointResponse, before?: string): HeldGrant {
  const refreshToken = tokens.refresh_token ?? before;
  return {
    accessToken: tokens.access_token,
    expiresAt: Date.now() + (tokens.expires_in ?? 0) * 1000,
    ...(refreshToken === undefined ? {} : { refreshToken }),
  };
}

function reasonOf(error: unknown): string {
  if (error instanceof oauth.ResponseBodyError) return error.error_description ?? error.error;
  return error instanceof Error ? whyUnanswered(error) : String(error);
}
