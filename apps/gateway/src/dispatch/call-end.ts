import type { AppError } from '#libs/errors';
import type { CallEnd } from '../observation/call-end.js';
import type { PlacedCall } from '../sessions/place.js';
import { queueMs, type CallAnswer } from './call-outcome.js';
import type { Ending } from './run-call.js';

interface Counted {
  /** From its first byte until its outcome was known. */
  readonly ms: number;
  /** From its first byte until its answer might leave. */
  readonly totalMs: number;
  readonly concurrency: number | undefined;
  readonly left: boolean;
}

/** How a dispatched call ended, for those who count. */
export function callEnd(
  call: PlacedCall,
  ending: Ending,
  { rpcCode }: CallAnswer,
  { ms, totalMs, concurrency, left }: Counted,
): CallEnd {
  const queue = queueMs(ending, ms);
  return {
    call,
    exchange: call.exchange,
    outcome: ending.outcome,
    errorCode: ending.outcome === 'cancelled' ? undefined : rpcCode,
    fault: ending.facts?.fault,
    guard: ending.facts?.guard,
    sessionId: call.session.kind === 'none' ? undefined : call.session.id,
    seconds: totalMs / 1_000,
    queueSeconds: queue === undefined ? undefined : queue / 1_000,
    workerMemoryBytes: ending.facts?.workerMemoryBytes,
    concurrency,
    left: left && call.exchange.operation === 'message',
  };
}

/** The same call where its answer was kept back, since its record could not be committed. */
export function withheldEnd(end: CallEnd, { code, jsonRpcCode }: AppError): CallEnd {
  return { ...end, outcome: code, errorCode: jsonRpcCode };
}
