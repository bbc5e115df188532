import type { StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { aside } from './upstream-fetch.js';

const AGAIN_MS = 30_000;

/**
 * The stream of a session that is listened to with a person's own login. It may be opened only while that person has an
 * exchange open, so it can have ended for good while they were away: their next request opens it again.
 */
export class OwnStream {
  #open = 0;
  /** Whether there ever was one: an upstream may offer none. */
  #offered = false;
  #triedAtMs = Number.NEGATIVE_INFINITY;

  /** Hears that a stream has begun or ended. */
  readonly heard = (is: 'begun' | 'ended'): void => {
    this.#offered = true;
    this.#open += is === 'begun' ? 1 : -1;
    this.#triedAtMs = performance.now(); // the SDK tries by itself first
  };

  /** Opens a stream where one has ended, and it was long enough ago. */
  openAgain(transport: StreamableHTTPClientTransport): void {
    const nowMs = performance.now();
    if (!this.#offered || this.#open > 0 || nowMs - this.#triedAtMs < AGAIN_MS) return;
    this.#triedAtMs = nowMs;
    void aside(() => transport.resumeStream('')).catch(() => undefined); // the next request tries again
  }
}
