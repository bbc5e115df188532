import type { DetailsOf } from '#libs/audit';
import { AppError } from '#libs/errors';
import type { SpooledOutcome } from '../audit-spool/records.js';
import type { PlacedCall } from '../sessions/place.js';
import { errorCodeOf, statusOf } from './error-status.js';
import type { Reply } from './reply.js';
import type { Ending } from './run-call.js';

/** How a call is answered: what is known before the answer leaves, so that its record can say so. */
export interface CallAnswer {
  readonly status: number;
  /** Of a JSON-RPC error. */
  readonly rpcCode?: number;
  /** Where it failed in our hands. */
  readonly error?: AppError;
}

/** The answer to a call that ended. */
export function answerOf({ exchange }: PlacedCall, ending: Ending, reply: Reply): CallAnswer {
  if (ending.kind === 'failed') {
    const { code, ...given } = ending.failure;
    const error = new AppError(code, given);
    return { status: reply.streaming ? 200 : error.status, rpcCode: error.jsonRpcCode, error };
  }
  if (exchange.operation !== 'close' && ending.message.length === 0) return { status: reply.streaming ? 200 : 202 };
  if (ending.outcome !== 'protocol_error') return { status: 200 };
  const rpcCode = errorCodeOf(ending.message);
  const status = reply.streaming ? 200 : statusOf(exchange.era, rpcCode);
  return rpcCode === undefined ? { status } : { status, rpcCode };
}

/** What the record of a call says about its end. `durationMs` is from its first byte. */
export function outcomeOf(ending: Ending, answer: CallAnswer, reply: Reply, durationMs: number): SpooledOutcome {
  const { facts } = ending;
  const worker = facts?.workerMs;
  const queue = queueMs(ending, durationMs);
  const details: Omit<DetailsOf<'call.completed'>, 'method' | 'era'> = {
    duration_ms: durationMs,
    ...(worker === undefined || queue === undefined ? {} : { queue_ms: queue, worker_ms: worker }),
    ...(ending.kind === 'done' && ending.upstreamMs !== undefined
      ? { upstream_ms: Math.round(ending.upstreamMs) }
      : {}),
    bytes_out: reply.partBytes + (ending.kind === 'done' ? ending.message.length : 0),
    ...(facts?.keptBytes === undefined ? {} : { bytes_kept: facts.keptBytes }),
    ...(facts?.egressBytes === undefined ? {} : { egress_bytes: facts.egressBytes }),
    http_status: answer.status,
    ...(answer.rpcCode === undefined ? {} : { rpc_code: answer.rpcCode }),
    ...(facts?.rule === undefined ? {} : { rule: facts.rule }),
    ...(facts?.fault === undefined ? {} : { fault: facts.fault }),
    ...(facts?.guard === undefined ? {} : { result_guard: facts.guard }),
    ...facts?.content,
  };
  return { outcome: ending.outcome, details };
}

/** What the record says of a call that ended so and was answered with an error, since its record could not be committed. */
export function withheldOutcome(ending: Ending, error: AppError, reply: Reply, durationMs: number): SpooledOutcome {
  const status = reply.streaming ? 200 : error.status;
  const { outcome, details } = outcomeOf(ending, { status, rpcCode: error.jsonRpcCode }, reply, durationMs);
  return { outcome, details: { ...details, bytes_out: reply.partBytes } };
}

/** What of a call's duration was not spent in its worker; undefined where no worker had it. */
export function queueMs({ facts }: Ending, durationMs: number): number | undefined {
  return facts?.workerMs === undefined ? undefined : tenths(Math.max(0, durationMs - facts.workerMs));
}

/** Milliseconds with one decimal. */
export function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
