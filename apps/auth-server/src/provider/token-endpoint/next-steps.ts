import type { KoaContextWithOIDC } from 'oidc-provider';
import { DEVICE_CODE } from '../../device/device-flow.js';
import { JWT_BEARER } from '../../federation/grant-type.js';

/** What the provider says of every refused grant and client, which tells their makers nothing. */
const BARE: ReadonlySet<string> = new Set(['grant request is invalid', 'client authentication failed']);

/** Why a grant may have been refused, all of it at once, so that nobody can try what is right, and what to do then. */
const REFUSED_GRANTS: Readonly<Record<string, string>> = {
  authorization_code:
    'The code cannot be redeemed. It is good once, for a minute, for the client, redirect_uri and code_verifier it was asked for with. Begin a new authorization.',
  refresh_token:
    "The refresh token cannot be used. It has ended, was replaced or revoked, or is another client's. Begin a new authorization; do not send it again.",
  [DEVICE_CODE]:
    "The device code cannot be redeemed. It has ended, was redeemed, or is another client's. Ask for a new one.",
};
const REFUSED_CLIENT =
  'The client could not be authenticated. Check its client_id and how it proves itself; if it registered itself, register again.';

/** What to do about an error beside what was said of it. */
const NEXT: Readonly<Record<string, string>> = {
  invalid_request: 'Correct the request before it is sent again.',
  unauthorized_client: 'Register the client for this grant type, or use one that it has.',
  unsupported_grant_type: 'Use one of grant_types_supported in the metadata.',
  invalid_scope: 'Ask for no more than was allowed, or leave scope out.',
  invalid_target: 'Send as resource exactly the URL that the token is for.',
  invalid_dpop_proof: 'Send a new proof for exactly this URL and method.',
  expired_token: 'Ask for a new device code.',
  server_error: 'Try again shortly.',
};

/** What we say ourselves mostly says what to do. */
const SAYS_SO = /\b(Ask|Begin|Check|Name|Register|Say|Send|Sign|Try|Use|Wait)\b/;

/** Ends the description of an error with what to do next, in the characters that RFC 6749 §5.2 allows. */
export function sayWhatNext(ctx: KoaContextWithOIDC): void {
  const { body } = ctx;
  if (ctx.status < 400 || typeof body !== 'object' || body === null) return;
  const error: unknown = Reflect.get(body, 'error');
  if (typeof error !== 'string') return;
  const said: unknown = Reflect.get(body, 'error_description');
  const grantType = String(ctx.oidc?.params?.['grant_type'] ?? '');
  const description = described(error, typeof said === 'string' ? said : '', grantType);
  ctx.body = { ...body, ...(description === '' ? {} : { error_description: plain(description) }) };
}

function described(error: string, said: string, grantType: string): string {
  if (BARE.has(said)) {
    if (error === 'invalid_client') return REFUSED_CLIENT;
    // An assertion's own reasons are said where it is judged.
    if (grantType !== JWT_BEARER)
      return REFUSED_GRANTS[grantType] ?? 'The grant cannot be used. Begin a new authorization.';
  }
  const next = NEXT[error];
  if (next === undefined || SAYS_SO.test(said)) return said;
  return said === '' ? next : `${said.charAt(0).toUpperCase()}${said.slice(1).replace(/\.$/, '')}. ${next}`;
}

function plain(text: string): string {
  return text.replaceAll(/[\u2018\u2019\u201c\u201d"\\]/g, "'").replaceAll(/[^\u0020-\u007e]/g, '?');
}
