import { LRUCache } from 'lru-cache';
import type { InboundCall } from '../edge/inbound-call.js';
import type { RateReached } from './rate-reached.js';

/** Refusals within a second that make a flood. */
const FLOOD_MIN = 20;
const SECOND_MS = 1_000;
const CALLERS_MAX = 10_000;

/** What of an inbound call says whose it is. */
export type CallerOf = Pick<InboundCall, 'credential' | 'target' | 'method'>;

/** What was refused of one caller. */
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
  readonly #refused = new LRUCache<string, Refused>({ max: CALLERS_MAX });

  /** Counts a call that was read, whose principal was proved, and that was refused. */
  note(call: CallerOf, error: RateReached): void {
    const caller = callerOf(call);
    if (caller === undefined) return;
    const nowMs = performance.now();
    const known = this.#refused.get(caller) ?? { error, sinceMs: nowMs, count: 0, flooding: false };
    known.error = error;
    count(known, nowMs);
    this.#refused.set(caller, known);
  }

  /** What a call is refused with unread; undefined where it is to be read. */
  find(call: CallerOf): RateReached | undefined {
    const caller = callerOf(call);
    const known = caller === undefined ? undefined : this.#refused.get(caller);
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

/** Messages alone: what opens or ends a stream or a session is rare. */
function callerOf({ credential, target, method }: CallerOf): string | undefined {
  return credential.kind === 'none' || method !== 'POST' ? undefined : `${credential.hash} ${target.resource}`;
}
