import { createLocalJWKSet, jwtVerify, errors, type JWK, type JWTVerifyGetKey } from 'jose';
import { AppError } from '#libs/errors';
import { z } from 'zod';
import { RemoteKeys } from './remote-keys.js';

/** Who acts for the subject (RFC 8693 §4.1), and for whom it acts who acted before. */
export interface Actor {
  /** A client's id. */
  readonly sub: string;
  readonly act?: Actor | undefined;
}

const actorSchema: z.ZodType<Actor> = z.object({
  sub: z.string(),
  get act() {
    return actorSchema.optional();
  },
});

const claimsSchema = z.object({
  iss: z.string(),
  sub: z.string(),
  aud: z.string(),
  exp: z.number(),
  client_id: z.string(),
  tenant: z.uuid(),
  scope: z.string().default(''),
  jti: z.string(),
  /** The grant it hangs on. */
  gid: z.string().optional(),
  /** The key that its bearer must prove to have (RFC 9449 §6.1). */
  cnf: z.object({ jkt: z.string() }).optional(),
  /** Who acts, where it is not the subject itself. */
  act: actorSchema.optional(),
});

/** The claims of a verified access token (RFC 9068), with the tenant it was minted for. */
export type AccessTokenClaims = z.infer<typeof claimsSchema>;

/** Where tokens come from. */
export type VerifierOptions = { readonly issuer: string } & (
  | { readonly jwksUrl: string }
  /** The issuer's own keys, where it verifies what it minted. */
  | { readonly keys: readonly JWK[] }
);

/**
 * Verifies `at+jwt` access tokens of our own issuer (RFC 9068 §4, RFC 8725): ES256 only, exact audience, keys from
 * the issuer's key set alone (an unknown `kid` refetches at most every 30 s; `jku`, `x5u` and `jwk` are ignored).
 */
export class AccessTokenVerifier {
  readonly #keys: JWTVerifyGetKey;
  readonly #remote?: RemoteKeys;

  constructor(private readonly options: VerifierOptions) {
    if ('keys' in options) {
      this.#keys = createLocalJWKSet({ keys: options.keys.map(publicPart) });
    } else {
      this.#remote = new RemoteKeys(options.jwksUrl);
      this.#keys = this.#remote.find;
    }
  }

  /** Grows whenever a key has left the issuer's set: what was verified before may not hold any more. */
  get generation(): number {
    return this.#remote?.generation ?? 0;
  }

  /**
   * The token's claims, when it was minted for exactly `audience` and is worth something without a proof.
   * @throws AppError `unauthenticated` for any other token, `unavailable` when the key set cannot be fetched.
   */
  async verify(token: string, audience: string): Promise<AccessTokenClaims> {
    const claims = await this.verifyUnproved(token, [audience]);
    if (claims.cnf === undefined) return claims;
    throw new AppError('unauthenticated', { message: 'This access token is bound to a key; it is no bearer token.' });
  }

  /**
   * As `verify`, for tokens that are bound to a key (`cnf`) too, and for any of these audiences: the caller must ask for
   * the proof.
   * @throws AppError as `verify`
   */
  async verifyUnproved(token: string, audiences: readonly string[]): Promise<AccessTokenClaims> {
    try {
      const { payload } = await jwtVerify(token, this.#keys, {
        issuer: this.options.issuer,
        audience: [...audiences],
        algorithms: ['ES256'],
        typ: 'at+jwt',
        requiredClaims: ['exp', 'sub', 'client_id'],
        clockTolerance: 5,
      });
      return claimsSchema.parse(payload);
    } catch (error) {
      if (error instanceof errors.JWKSTimeout || error instanceof TypeError) {
        throw new AppError('unavailable', { cause: error, retryAfterSeconds: 5 });
      }
      throw new AppError('unauthenticated', {
        message: 'The access token is not valid here. Sign in again.',
        cause: error,
      });
    }
  }
}

function publicPart({ d: _private, ...key }: JWK): JWK {
  return key;
}
