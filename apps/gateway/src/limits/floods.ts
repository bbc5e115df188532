import { LRUCache } from 'lru-cache';
import type { InboundCall } from '../edge/inbound-call.js';
import type { RateReached } from './rate-reached.js';

/** Refusals within a second that make a flood. */
const FLOOD_MIN = 20;
const SECOND_MS = 1_000;
const CALLERS_MAX = 10_000;

/** An entry is forgotten after this time without a refusal. */
const FORGET_MS = 10_000;

/** What of an inbound call says whose it is, and where. */
export type Caller = Pick<InboundCall, 'credential' | 'target' | 'method' | 'address'>;

/** What was refused of one caller: calm → flooding with the twentieth refusal of a second → calm after a second with fewer. */
interface Refused {
  /** The last one that was read. */
  error: RateReached;
  /** When the second that is counted began, from `performance.now()`. */
  sinceMs: number;
  count: number;
  /** Whether the second before was one of a flood. */
  flooding: boolean;
}

/**
 * Knows who goes on calling although they were told to wait. While the rate that they have reached is known to be used up, what
 * they send to the same URL is refused unread: their credentials were proved with a call that was, at most a second ago.
 */
export class Floods {
  readonly #refused = new LRUCache<string, Refused>({ max: CALLERS_MAX, ttl: FORGET_MS });

  /** Counts a call that was read, whose principal was proved, and that was refused; whether a flood began with it. */
  note(call: Caller, error: RateReached): boolean {
    const key = keyOf(call);
    if (key === undefined) return false;
    const nowMs = performance.now();
    const known = this.#refused.get(key) ?? { error, sinceMs: nowMs, count: 0, flooding: false };
    known.error = error;
    count(known, nowMs);
    this.#refused.set(key, known);
    return !known.flooding && known.count === FLOOD_MIN;
  }

  /** What a call is refused with unread; undefined where it is to be read. */
  find(call: Caller): RateReached | undefined {
    const key = keyOf(call);
    const known = key === undefined ? undefined : this.#refused.get(key);
    const nowMs = performance.now();
    if (known === undefined || nowMs >= known.error.sureUntilMs) return undefined;
    if (!known.flooding && known.count < FLOOD_MIN) return undefined;
    count(known, nowMs);
    return known.error;
  }
}

function count(refused: Refused, nowMs: number): void {
  const elapsedMs = nowMs - refused.sinceMs;
  if (elapsedMs >= SECOND_MS) {
    refused.flooding = refused.count >= FLOOD_MIN && elapsedMs < 2 * SECOND_MS;
    refused.sinceMs = nowMs;
    refused.count = 0;
  }
  refused.count += 1;
}

/**
 * Messages alone: what opens or ends a stream or a session is rare. A token with a proof of its key is proved anew each time, so
 * its hash says nothing of who sends it. The address counts because rules of a tenant may refuse one and record that.
 */
function keyOf({ credential, target, method, address }: Caller): string | undefined {
  if (method !== 'POST' || credential.kind === 'none' || 'proof' in credential) return undefined;
  return `${credential.hash} ${address} ${target.resource}`;
}
