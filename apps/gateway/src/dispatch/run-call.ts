import type { ServerResponse } from 'node:http';
import type { CallFacts, CallReply, Envelope, FrameFailure, OutcomeClass, RuntimeClient } from '#libs/protocol';
import type { DocumentDoor } from '../documents/document-door.js';
import type { ClosedResults } from '../kept-results/call-results.js';
import { isStream } from '../limits/admit.js';
import { callGuard } from '../result-guards/call-guard.js';
import type { PlacedCall } from '../sessions/place.js';
import type { Reply } from './reply.js';

/** How a call ended, as the runtime told or as we saw. */
export type Ending =
  | {
      readonly kind: 'done';
      readonly message: Buffer;
      readonly outcome: OutcomeClass;
      readonly upstreamMs: number | undefined;
      readonly facts?: CallFacts | undefined;
    }
  | {
      readonly kind: 'failed';
      readonly failure: FrameFailure;
      readonly outcome: OutcomeClass;
      readonly facts?: CallFacts | undefined;
    };

/** How long a session's own stream goes on without its client, who may come back for what was said meanwhile. */
const GRACE_MS = 20_000;

/** Streams are asked for again by their clients when this is over. */
const STREAM_MS = 3_600_000;

/** How a call reaches its worker, and what its worker reaches. */
export interface CallWays {
  readonly runtime: RuntimeClient;
  readonly documents: DocumentDoor;
}

/** How long calls may take. */
export interface CallTimes {
  /** Without progress, and after each. */
  readonly timeoutMs: number;
  /** With all the progress there may be. */
  readonly timeoutMaxMs: number;
}

/** The envelope that a placed call travels under. */
export function envelopeOf(call: PlacedCall, { timeoutMs, timeoutMaxMs }: CallTimes): Envelope {
  const { exchange, session } = call;
  const guard = callGuard(call);
  const nowMs = Date.now();
  const times = isStream(exchange)
    ? { deadlineMs: nowMs + STREAM_MS }
    : { deadlineMs: nowMs + timeoutMs, progress: { waitMs: timeoutMs, lastMs: nowMs + timeoutMaxMs } };
  return {
    route: call.route,
    era: exchange.era,
    operation: exchange.operation,
    ...(session.kind === 'none' ? {} : { sessionId: session.id }),
    principal: call.principalBinding,
    ...times,
    contextVersion: call.tenant.contextVersion,
    ...(exchange.batched === undefined ? {} : { batched: exchange.batched }),
    ...(exchange.parameterHeaders === undefined ? {} : { parameterHeaders: exchange.parameterHeaders }),
    traceparent: call.traceparent,
    ...(guard === undefined ? {} : { guard }),
  };
}

/**
 * Sends a call to its worker and waits for its end, passing on what comes before it. A client that leaves cancels the
 * call in the 2026 era and ends a stream in either; a request of the 2025 era goes on until it is cancelled or late
 * (MCP 2025-11-25, transports: "disconnection SHOULD NOT be interpreted as the client cancelling its request"). When the
 * deadline is past and the runtime says nothing, `RuntimeClient` ends the call.
 */
export function runCall(
  { runtime, documents }: CallWays,
  call: PlacedCall,
  envelope: Envelope,
  reply: Pick<Reply, 'part'>,
  response: ServerResponse,
  stopping: AbortSignal,
): Promise<Ending> {
  return new Promise((resolve) => {
    let settled = false;
    const settle = (ending: Ending): void => {
      settled = true;
      const results = close(ending.kind === 'done' ? ending.message.length : 0);
      response.off('close', onGone);
      onceClosed(response, results.sent);
      stopping.removeEventListener('abort', onGone);
      clearTimeout(grace);
      resolve(withResults(ending, results));
    };
    const abandon = (ending: Ending): void => {
      cancel();
      settle(ending);
    };
    let grace: NodeJS.Timeout | undefined;
    const leave = (): void => abandon({ kind: 'failed', failure: { code: 'unavailable' }, outcome: 'cancelled' });
    const onGone = (): void => {
      if (call.exchange.era === 'modern' || stopping.aborted) return leave();
      if (call.exchange.operation !== 'listen') return;
      call.release(); // what goes on is bounded by the sessions there may be
      grace = setTimeout(leave, GRACE_MS).unref();
    };
    const at = call.session.kind === 'none' ? undefined : call.session.runtime;
    const { close, ...documentWays } = documents.open(call);
    const hear: CallReply = {
      ...documentWays,
      tokens: call.tokens,
      onPart: (message) => {
        if (settled || reply.part(message)) return;
        response.destroy();
        leave();
      },
      onDone: (message, outcome, upstreamMs, facts) => settle({ kind: 'done', message, outcome, upstreamMs, facts }),
      onFail: (failure, outcome, _started, facts) => settle({ ...failedOf(call, failure), outcome, facts }),
    };
    const cancel = runtime.call(envelope, call.exchange.payload, hear, at);
    response.once('close', onGone);
    if (isStream(call.exchange)) stopping.addEventListener('abort', onGone, { once: true });
    if (response.destroyed) onGone();
  });
}

/** What would have opened a session is not told that there is none: its runtime has just left. */
function failedOf({ session }: PlacedCall, failure: FrameFailure): { kind: 'failed'; failure: FrameFailure } {
  const left = session.kind === 'opens' && failure.code === 'session_not_found';
  return { kind: 'failed', failure: left ? { code: 'unavailable', retryAfterSeconds: 1 } : failure };
}

function onceClosed(response: ServerResponse, hear: () => void): void {
  if (response.destroyed) hear();
  else response.once('close', hear);
}

/** Who could not read a kept answer now is refused, and told when to come again, as everybody is who comes too often. */
function withResults(ending: Ending, { keptBytes, refusal }: ClosedResults): Ending {
  if (refusal === undefined || ending.outcome !== 'protocol_error')
    return keptBytes === 0 ? ending : withKept(ending, keptBytes);
  const { code, message, retryAfterSeconds, detail } = refusal;
  const failure = { code, message, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
  const rule = typeof detail?.['rule'] === 'string' ? { rule: detail['rule'] } : {};
  return { kind: 'failed', failure, outcome: 'refused', facts: { ...ending.facts, ...rule } };
}

/**
 * Only the answer of a call that succeeded is kept. A result that links to it, of a tool that promises structured content, is
 * marked as an error for its client alone.
 */
function withKept(ending: Ending, keptBytes: number): Ending {
  const facts = { ...ending.facts, keptBytes };
  const succeeded = ending.kind === 'done' && ending.outcome === 'tool_error';
  return succeeded ? { ...ending, outcome: 'ok', facts } : { ...ending, facts };
}
