import type { Secret } from '#libs/config';
import {
  connectionProof,
  FrameError,
  isProof,
  newChallenge,
  SPOKEN,
  UNSAID,
  type CallerFrame,
  type RuntimeFrame,
} from '#libs/protocol';
import { meter } from '#libs/telemetry';

type ProveFrame = Extract<CallerFrame, { t: 'prove' }>;

/** Why a caller is not understood: it has chosen a version of the protocol that is not spoken here. */
export function unspokenIn({ version = UNSAID }: ProveFrame): string | undefined {
  if (version >= SPOKEN.from && version <= SPOKEN.to) return undefined;
  return `This worker-runtime speaks versions ${SPOKEN.from} to ${SPOKEN.to} of our protocol, not ${version}.`;
}

/**
 * Whether a connection's caller is one of ours. It has one try, so whoever fails stays a stranger on this connection:
 *
 *     unproved ──right proof──► proved
 *     unproved ──wrong proof──► stranger
 */
export class CallerProof {
  readonly #key: Secret;
  #state: 'unproved' | 'proved' | 'stranger' = 'unproved';
  #version = UNSAID;
  readonly #refused = meter('intake').createCounter('wharf_intake_refused', {
    description: 'Frames refused because their sender has not proved to be one of ours.',
  });
  /** What this connection's caller has to prove itself against. */
  readonly challenge = newChallenge();

  constructor(key: Secret) {
    this.#key = key;
  }

  /** The first frame: who we are and what we speak. */
  hello(runtimeId: string): RuntimeFrame {
    return { t: 'hello', runtimeId, version: UNSAID, versions: SPOKEN, atMs: Date.now(), challenge: this.challenge };
  }

  /** The version of the protocol that the caller has chosen. */
  get version(): number {
    return this.#version;
  }

  get proved(): boolean {
    return this.#state === 'proved';
  }

  /** Counts a frame that was refused for want of a proof. */
  refused(): void {
    this.#refused.add(1);
  }

  /** Judges a caller's proof; returns our own where it is one. @throws FrameError at a second try */
  judge({ challenge, proof, version = UNSAID }: ProveFrame): string | undefined {
    if (this.#state !== 'unproved') throw new FrameError('a second proof');
    const proved = isProof(connectionProof(this.#key, 'caller', this.challenge, challenge), proof);
    this.#state = proved ? 'proved' : 'stranger';
    this.#version = version;
    return proved ? connectionProof(this.#key, 'runtime', this.challenge, challenge) : undefined;
  }
}
