import type { CallEnd } from '../observation/call-end.js';
import type { PlacedCall } from '../sessions/place.js';
import { queueMs, type CallAnswer } from './call-outcome.js';
import type { Ending } from './run-call.js';

/** How a dispatched call ended, for those who count. */
export function callEnd(
  call: PlacedCall,
  ending: Ending,
  { rpcCode }: CallAnswer,
  { ms, concurrency, left }: { readonly ms: number; readonly concurrency: number | undefined; readonly left: boolean },
): CallEnd {
  const queue = queueMs(ending, ms);
  return {
    call,
    exchange: call.exchange,
    outcome: ending.outcome,
    errorCode: ending.outcome === 'cancelled' ? undefined : rpcCode,
    fault: ending.facts?.fault,
    sessionId: call.session.kind === 'none' ? undefined : call.session.id,
    seconds: ms / 1_000,
    queueSeconds: queue === undefined ? undefined : queue / 1_000,
    workerMemoryBytes: ending.facts?.workerMemoryBytes,
    concurrency,
    left: left && call.exchange.operation === 'message',
  };
}
