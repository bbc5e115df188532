import { LRUCache } from 'lru-cache';
import type { AccessTokenClaims, AccessTokenVerifier } from '#libs/identity';
import type { AccessToken } from '../edge/credential.js';

const TOKENS_MAX = 20_000;
const REMEMBERED_MS_MAX = 600_000;

interface Verified {
  readonly claims: AccessTokenClaims;
  /** Of the issuer's keys; a key that has left since may have signed it. */
  readonly generation: number;
}

/** Verified access tokens, remembered by hash and audience until they expire, ten minutes at most. */
export class AccessTokens {
  readonly #verified = new LRUCache<string, Verified>({ max: TOKENS_MAX });

  constructor(private readonly verifier: AccessTokenVerifier) {}

  /** The claims of a token that was verified for exactly these audiences and has not expired; undefined otherwise. */
  find(token: AccessToken, audiences: readonly string[]): AccessTokenClaims | undefined {
    const known = this.#verified.get(keyOf(token, audiences));
    if (known === undefined || known.generation !== this.verifier.generation) return undefined;
    return known.claims.exp * 1_000 > Date.now() ? known.claims : undefined;
  }

  /** Verifies a token; one that is bound to a key (`cnf`) is worth nothing without proof of it. @throws AppError unauthenticated, unavailable */
  async verify(token: AccessToken, audiences: readonly string[]): Promise<AccessTokenClaims> {
    const { generation } = this.verifier;
    const claims = await this.verifier.verifyUnproved(token.text, audiences);
    const leftMs = Math.min(claims.exp * 1_000 - Date.now(), REMEMBERED_MS_MAX);
    if (leftMs > 0) this.#verified.set(keyOf(token, audiences), { claims, generation }, { ttl: leftMs });
    return claims;
  }
}

function keyOf({ hash }: AccessToken, audiences: readonly string[]): string {
  return `${hash} ${audiences.join(' ')}`;
}
