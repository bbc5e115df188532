import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { Secret } from '#libs/config';

const WINDOW_MS = 60_000;

/** How long a nonce is good at most. */
export const NONCE_SECONDS_MAX = (2 * WINDOW_MS) / 1_000;

/** The nonces that proofs may name instead of a time (RFC 9449 §9): derived, so that every gateway knows every other's. */
export class Nonces {
  readonly #key: Buffer;

  constructor(masterKey: Secret) {
    this.#key = Buffer.from(hkdfSync('sha256', masterKey.reveal(), '', 'wharf:gateway-dpop-nonces', 32));
  }

  /** The nonce of now. */
  current(): string {
    return this.#ofWindow(Math.floor(Date.now() / WINDOW_MS));
  }

  /** Whether a nonce was given within the last minute or two. */
  isGood(nonce: string): boolean {
    const window = Math.floor(Date.now() / WINDOW_MS);
    const given = Buffer.from(nonce);
    return [window, window - 1].map((at) => isSame(Buffer.from(this.#ofWindow(at)), given)).includes(true);
  }

  #ofWindow(window: number): string {
    return createHmac('sha256', this.#key).update(String(window)).digest('base64url');
  }
}

function isSame(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
