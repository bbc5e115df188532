import { AppError } from '#libs/errors';

/** What is wrong with how a token's key was proved (RFC 9449 §7.1, §9). */
export type PossessionFault = 'invalid_token' | 'invalid_dpop_proof' | 'use_dpop_nonce';

/** A call whose token is fine and whose proof of its key is not; answered with a `DPoP` challenge. */
export class PossessionError extends AppError {
  constructor(
    readonly fault: PossessionFault,
    message: string,
    /** What the next proof has to name. */
    readonly nonce?: string,
  ) {
    super('unauthenticated', { message });
  }
}
