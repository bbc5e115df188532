import type { IncomingMessage } from 'node:http';
import { AppError } from '#libs/errors';

/** What a request proves its principal with, as it came. */
export type Credential =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'access-token';
      readonly text: string;
      /** What came in the `DPoP` header with a token of that scheme; empty where nothing did (RFC 9449 §7.1). */
      readonly proof?: string;
    }
  | { readonly kind: 'api-key'; readonly text: string };

const TOKEN = /^(Bearer|DPoP) +([A-Za-z0-9._~+/-]+=*) *$/i;
const KEY_PREFIX = 'whk_';
const CREDENTIAL_PARAMETERS = ['access_token', 'api_key', 'apikey', 'key', 'token', 'x-api-key'];

/**
 * The one credential in a request's headers.
 * @throws AppError invalid_request when one stands in the query (OAuth 2.1 §5.1.1: it would end in logs and histories),
 *   or when there are two, of which only one could count (RFC 6750 §2)
 */
export function credentialOf(request: IncomingMessage, query: URLSearchParams): Credential {
  refuseCredentialsIn(query);
  const [, scheme = '', token] = TOKEN.exec(request.headers.authorization ?? '') ?? [];
  const header = request.headers['x-api-key'];
  if (request.headers.authorization !== undefined && header !== undefined) {
    throw new AppError('invalid_request', { message: 'Send one credential: either Authorization or X-API-Key.' });
  }
  if (token !== undefined && scheme.toLowerCase() === 'dpop') {
    return { kind: 'access-token', text: token, proof: String(request.headers['dpop'] ?? '') };
  }
  if (token !== undefined) return { kind: token.startsWith(KEY_PREFIX) ? 'api-key' : 'access-token', text: token };
  return typeof header === 'string' && header !== '' ? { kind: 'api-key', text: header } : { kind: 'none' };
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
