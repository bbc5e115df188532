import type { CallEnd } from '../observation/call-end.js';
import type { PlacedCall } from '../sessions/place.js';
import type { CallAnswer } from './call-outcome.js';
import type { Ending } from './run-call.js';

/** How a dispatched call ended, for those who count. */
export function callEnd(call: PlacedCall, ending: Ending, { rpcCode }: CallAnswer, seconds: number): CallEnd {
  return {
    call,
    exchange: call.exchange,
    outcome: ending.outcome,
    errorCode: ending.outcome === 'cancelled' ? undefined : rpcCode,
    fault: ending.facts?.fault,
    sessionId: call.session.kind === 'none' ? undefined : call.session.id,
    seconds,
  };
}
