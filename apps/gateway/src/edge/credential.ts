import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { AppError } from '#libs/errors';
import { hashApiKey, tenantOfApiKey } from '#libs/identity';

/** An access token, as it came. */
export interface AccessToken {
  readonly kind: 'access-token';
  readonly text: string;
  /** SHA-256 of its text, in base64url. */
  readonly hash: string;
  /** What came in the `DPoP` header with a token of that scheme; empty where nothing did (RFC 9449 §7.1). */
  readonly proof?: string;
}

/** What a request proves its principal with, as it came. */
export type Credential =
  | { readonly kind: 'none' }
  | AccessToken
  | {
      readonly kind: 'api-key';
      /** The tenant that the key says it is of; undefined where it is no key. */
      readonly tenantId: string | undefined;
      /** SHA-256 of its text, in hex. */
      readonly hash: string;
    };

const TOKEN = /^(Bearer|DPoP) +([A-Za-z0-9._~+/-]+=*) *$/i;
const KEY_PREFIX = 'whk_';
const CREDENTIAL_PARAMETERS = ['access_token', 'api_key', 'apikey', 'key', 'token', 'x-api-key'];

/** The credential that came last on a connection, as it stood in its header: agents send the same one with each request. */
const lastCredentials = new WeakMap<Socket, LastCredential>();

/** Longer ones, which nobody has proved yet, are not kept for as long as a connection lives. */
const REMEMBERED_LENGTH_MAX = 4_096;

interface LastCredential {
  readonly header: string;
  readonly name: 'authorization' | 'x-api-key';
  readonly credential: Credential;
}

/**
 * The one credential in a request's headers.
 * @throws AppError invalid_request when one stands in the query (OAuth 2.1 §5.1.1: it would end in logs and histories),
 *   or when there are two, of which only one could count (RFC 6750 §2)
 */
export function credentialOf(request: IncomingMessage, query: URLSearchParams): Credential {
  refuseCredentialsIn(query);
  const { authorization, 'x-api-key': key } = request.headers;
  if (authorization !== undefined && key !== undefined) {
    throw new AppError('invalid_request', { message: 'Send one credential: either Authorization or X-API-Key.' });
  }
  const header = authorization ?? key;
  if (typeof header !== 'string') return { kind: 'none' };
  const name = authorization === undefined ? 'x-api-key' : 'authorization';
  const last = lastCredentials.get(request.socket);
  if (last?.header === header && last.name === name) return last.credential;
  const credential = name === 'x-api-key' ? apiKey(header) : authorized(header, request);
  // A proof is of its request alone.
  if (credential.kind !== 'none' && !('proof' in credential) && header.length <= REMEMBERED_LENGTH_MAX)
    lastCredentials.set(request.socket, { header, name, credential });
  return credential;
}

function authorized(header: string, request: IncomingMessage): Credential {
  const [, scheme = '', token] = TOKEN.exec(header) ?? [];
  if (token === undefined) return { kind: 'none' };
  if (scheme.toLowerCase() === 'dpop') return { ...accessToken(token), proof: String(request.headers['dpop'] ?? '') };
  return token.startsWith(KEY_PREFIX) ? apiKey(token) : accessToken(token);
}

function accessToken(text: string): AccessToken {
  return { kind: 'access-token', text, hash: hash('sha256', text, 'base64url') };
}

function apiKey(text: string): Credential {
  return text === '' ? { kind: 'none' } : { kind: 'api-key', tenantId: tenantOfApiKey(text), hash: hashApiKey(text) };
}

/** @throws AppError invalid_request when a credential stands in the query */
export function refuseCredentialsIn(query: URLSearchParams): void {
  for (const [name, value] of query) {
    if (!CREDENTIAL_PARAMETERS.includes(name.toLowerCase()) && !value.startsWith(KEY_PREFIX)) continue;
    throw new AppError('invalid_request', {
      message:
        'Credentials in the URL are refused because URLs end up in logs. Send the Authorization header, and replace this credential.',
    });
  }
}
