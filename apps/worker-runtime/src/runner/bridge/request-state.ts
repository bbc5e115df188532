import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { canonicalJson } from '#libs/protocol';
import type { PeerCaller } from '../peer/caller-link.js';
import type { PeerRequest } from '../peer/peer.js';

/** Which round of which held call a state stands for. */
export interface StateOf {
  readonly id: string;
  readonly round: number;
}

/** What of a request its state is good for. */
type Sealed = Pick<PeerRequest, 'method' | 'params'>;

const KEY_BYTES = 32;
const STATE = /^([0-9a-f]{32})\.(\d{1,6})\.([\w-]{43})$/;

/**
 * Seals the `requestState` of held calls (MCP 2026-07-28, MRTR: "servers MUST treat it as attacker-controlled"): good for
 * one round of one call, for the principal that made it, and for the same request. A call is held by one worker, which
 * keeps the key for itself.
 */
export class RequestStates {
  readonly #key = randomBytes(KEY_BYTES);

  seal({ id, round }: StateOf, caller: PeerCaller, request: Sealed): string {
    return `${id}.${round}.${this.#mac(id, round, caller, request)}`;
  }

  /** What a state stands for; undefined for one that was altered, is another's, or of another request. */
  open(state: string, caller: PeerCaller, request: Sealed): StateOf | undefined {
    const [, id = '', digits, mac = ''] = STATE.exec(state) ?? [];
    if (digits === undefined) return undefined;
    const round = Number(digits);
    const expected = Buffer.from(this.#mac(id, round, caller, request));
    return timingSafeEqual(expected, Buffer.from(mac)) ? { id, round } : undefined;
  }

  #mac(id: string, round: number, { name }: PeerCaller, { method, params }: Sealed): string {
    const asked = createHash('sha256').update(canonicalJson({ method, params })).digest('base64url');
    return createHmac('sha256', this.#key)
      .update(JSON.stringify([id, round, name, asked]))
      .digest('base64url');
  }
}
