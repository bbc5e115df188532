import type { Secret } from '#libs/config';
import { connectionProof, FrameError, isProof, newChallenge, type CallerFrame } from '#libs/protocol';

/**
 * Whether a connection's caller is one of ours. It has one try, so whoever fails stays a stranger on this connection:
 *
 *     unproved ──right proof──► proved
 *     unproved ──wrong proof──► stranger
 */
export class CallerProof {
  readonly #key: Secret;
  #state: 'unproved' | 'proved' | 'stranger' = 'unproved';
  /** What this connection's caller has to prove itself against. */
  readonly challenge = newChallenge();

  constructor(key: Secret) {
    this.#key = key;
  }

  get proved(): boolean {
    return this.#state === 'proved';
  }

  /** Judges a caller's proof; returns our own where it is one. @throws FrameError at a second try */
  judge({ challenge, proof }: Extract<CallerFrame, { t: 'prove' }>): string | undefined {
    if (this.#state !== 'unproved') throw new FrameError('a second proof');
    const proved = isProof(connectionProof(this.#key, 'caller', this.challenge, challenge), proof);
    this.#state = proved ? 'proved' : 'stranger';
    return proved ? connectionProof(this.#key, 'runtime', this.challenge, challenge) : undefined;
  }
}
