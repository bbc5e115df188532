import { ERROR_CATALOGUE } from '#libs/errors';
import type { CallEnd } from '../observation/call-end.js';
import type { PlacedCall } from '../sessions/place.js';
import { errorCodeOf } from './error-status.js';
import type { Ending } from './run-call.js';

/** How a dispatched call ended, for those who count. */
export function callEnd(call: PlacedCall, ending: Ending, seconds: number): CallEnd {
  return {
    call,
    exchange: call.exchange,
    outcome: ending.outcome,
    errorCode: codeOf(ending),
    fault: ending.kind === 'done' ? ending.fault : undefined,
    sessionId: call.session.kind === 'none' ? undefined : call.session.id,
    seconds,
  };
}

function codeOf(ending: Ending): number | undefined {
  if (ending.outcome === 'cancelled') return undefined;
  if (ending.kind === 'failed') return ERROR_CATALOGUE[ending.failure.code].jsonRpc;
  if (ending.outcome !== 'protocol_error') return undefined;
  const code = errorCodeOf(ending.message);
  return typeof code === 'number' ? code : undefined;
}
