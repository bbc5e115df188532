import { createHash } from 'node:crypto';
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify } from 'jose';
import { z } from 'zod';

/** The algorithms that proofs of possession may be signed with. */
export const DPOP_ALGORITHMS = ['ES256', 'EdDSA', 'PS256', 'RS256'] as const;

const PROOF_LENGTH_MAX = 8_192;

const proofSchema = z.object({
  htm: z.string(),
  htu: z.string(),
  iat: z.number(),
  jti: z.string().min(1).max(512),
  ath: z.string(),
  nonce: z.string().max(512).optional(),
});

/** The request that a proof came with. */
export interface ProvedRequest {
  readonly method: string;
  /** The URL that was called; query and fragment do not count. */
  readonly url: string;
  readonly token: string;
}

/** What a good proof proves; whether it is fresh and new is for its receiver to judge. */
export interface DpopProof {
  /** RFC 7638 thumbprint of the key, as `cnf.jkt` names it. */
  readonly thumbprint: string;
  readonly jti: string;
  /** Epoch seconds. */
  readonly issuedAt: number;
  readonly nonce: string | undefined;
}

/**
 * Verifies a proof of possession for one request with one access token (RFC 9449 §4.3, points 2 to 9 and 12a).
 * @returns undefined for a proof that is malformed, or of another request or token
 */
export async function verifyDpopProof(proof: string, request: ProvedRequest): Promise<DpopProof | undefined> {
  if (proof.length > PROOF_LENGTH_MAX) return undefined;
  try {
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      algorithms: [...DPOP_ALGORITHMS],
      typ: 'dpop+jwt',
    });
    const claims = proofSchema.parse(payload);
    const isForRequest =
      claims.htm === request.method &&
      withoutQuery(claims.htu) === withoutQuery(request.url) &&
      claims.ath === createHash('sha256').update(request.token).digest('base64url');
    if (!isForRequest || protectedHeader.jwk === undefined) return undefined;
    const thumbprint = await calculateJwkThumbprint(protectedHeader.jwk);
    return { thumbprint, jti: claims.jti, issuedAt: claims.iat, nonce: claims.nonce };
  } catch {
    // Whatever is wrong with it, it is the sender's, and proves nothing.
    return undefined;
  }
}

function withoutQuery(text: string): string {
  const url = new URL(text);
  url.search = '';
  url.hash = '';
  return url.href;
}
