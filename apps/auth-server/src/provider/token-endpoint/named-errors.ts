import type { KoaContextWithOIDC } from 'oidc-provider';

/** Details of refusals that the provider calls `invalid_grant` although only the proof of a key is wrong (RFC 9449 §5). */
const USED = 'DPoP proof JWT Replay detected';
const MISSING = 'failed jkt verification';

/** What is wrong with a request's proof where the grant is as good as before; undefined where something else was refused. */
export function proofProblemOf(ctx: KoaContextWithOIDC, refused: Error): string | undefined {
  const detail: unknown = Reflect.get(refused, 'error_detail');
  if (detail === USED) return 'The DPoP proof was used before. Send a new one for every request.';
  if (detail !== MISSING || ctx.get('dpop') !== '') return undefined;
  return 'The refresh token is bound to a key. Send it again with a DPoP proof of that key.';
}

/** A grant type that is not this client's has a code of its own (RFC 6749 §5.2), which the provider does not use. */
export function nameUnauthorized(ctx: KoaContextWithOIDC): void {
  const grantType = ctx.oidc?.params?.['grant_type'];
  const { client } = ctx.oidc ?? {};
  if (client === undefined || typeof grantType !== 'string' || client.grantTypeAllowed(grantType)) return;
  const { body } = ctx;
  if (typeof body !== 'object' || body === null || Reflect.get(body, 'error') !== 'invalid_request') return;
  ctx.body = { ...body, error: 'unauthorized_client' };
}
