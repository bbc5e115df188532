import { randomUUID } from 'node:crypto';
import type { Envelope, RuntimeClient } from '#libs/protocol';
import type { Ending } from '../dispatch/run-call.js';

/** How the candidate's sessions begin (MCP 2025-11-25, lifecycle): for a client that can be asked nothing. */
const INITIALIZE = Buffer.from(
  JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'wharf-shadow', version: '1.0.0' },
    },
  }),
);

/** What the candidate answered, and how long that took without its session's beginning. */
export interface ShadowAnswer {
  readonly ending: Ending;
  readonly ms: number;
}

/** Asks once, as long as the envelope allows. */
export async function askOnce(runtime: RuntimeClient, envelope: Envelope, payload: Buffer): Promise<ShadowAnswer> {
  const started = performance.now();
  const ending = await new Promise<Ending>((resolve) => {
    runtime.call(envelope, payload, {
      onPart: () => undefined,
      onDone: (message, outcome, upstreamMs, facts) => resolve({ kind: 'done', message, outcome, upstreamMs, facts }),
      onFail: (failure, outcome, _started, facts) => resolve({ kind: 'failed', failure, outcome, facts }),
    });
  });
  return { ending, ms: performance.now() - started };
}

/**
 * Asks in a session of the 2025 era that is opened for this one call and closed after it; undefined where none could be
 * opened or it was lost, which says nothing of the call.
 */
export async function askInSession(
  runtime: RuntimeClient,
  envelope: Envelope,
  payload: Buffer,
): Promise<ShadowAnswer | undefined> {
  const ours = { ...envelope, sessionId: randomUUID() };
  try {
    const opened = await askOnce(runtime, ours, INITIALIZE);
    if (opened.ending.outcome !== 'ok') return undefined;
    const answered = await askOnce(runtime, ours, payload);
    const { ending } = answered;
    return ending.kind === 'failed' && ending.failure.code === 'session_not_found' ? undefined : answered;
  } finally {
    void askOnce(runtime, { ...ours, operation: 'close' }, Buffer.alloc(0));
  }
}
