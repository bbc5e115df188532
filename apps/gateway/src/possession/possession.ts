import { AppError } from '#libs/errors';
import { verifyDpopProof, type AccessTokenClaims, type DpopProof } from '#libs/identity';
import type { InboundCall } from '../edge/inbound-call.js';
import { NONCE_SECONDS_MAX, type Nonces } from './nonces.js';
import { PossessionError } from '../edge/possession-error.js';
import type { UsedProofs } from './used-proofs.js';

/** How far the clock of a proof without a nonce may be from ours. */
const AGE_SECONDS_MAX = 60;

/** What of a call proves that its sender has the key that its token is bound to. */
export type ProvingCall = Pick<InboundCall, 'method' | 'target' | 'credential'>;

/** Asks the sender of a token for proof of the key that it is bound to (RFC 9449 §7). */
export class Possession {
  constructor(
    private readonly nonces: Nonces,
    private readonly used: UsedProofs,
  ) {}

  /**
   * Passes where a token is bound to no key and was sent as plain bearer token, or its key is proved for this very
   * request. A proof is taken by this and not good again.
   * @throws AppError unauthenticated for anything else; a `PossessionError` says how to prove it
   */
  async require({ credential, method, target }: ProvingCall, claims: AccessTokenClaims): Promise<void> {
    if (credential.kind !== 'access-token') throw new AppError('internal');
    const { cnf } = claims;
    if (cnf === undefined && credential.proof === undefined) return;
    if (cnf === undefined)
      throw new PossessionError('invalid_token', 'This token is bound to no key. Send it as Bearer.');
    if (credential.proof === undefined) {
      throw new PossessionError('invalid_token', 'This token is bound to a key. Send it as DPoP, with a proof.');
    }
    const proof = await verifyDpopProof(credential.proof, { method, url: target.resource, token: credential.text });
    if (proof?.thumbprint !== cnf.jkt) {
      throw new PossessionError('invalid_dpop_proof', 'The proof is not one of this token’s key for this request.');
    }
    this.#requireFresh(proof);
    if (!(await this.used.take(proof, NONCE_SECONDS_MAX + AGE_SECONDS_MAX))) {
      throw new PossessionError('invalid_dpop_proof', 'This proof was used before. Make one for each request.');
    }
  }

  /** A nonce of ours says when it was made better than a clock of another's. */
  #requireFresh({ nonce, issuedAt }: DpopProof): void {
    const fresh =
      nonce === undefined ? Math.abs(Date.now() / 1_000 - issuedAt) <= AGE_SECONDS_MAX : this.nonces.isGood(nonce);
    if (fresh) return;
    const message = 'The proof is too old, or its clock is off. Prove it again with the nonce given.';
    throw new PossessionError('use_dpop_nonce', message, this.nonces.current());
  }
}
