import type { ServerResponse } from 'node:http';
import { AppError } from '#libs/errors';
import type { Envelope, RuntimeClient } from '#libs/protocol';
import type { Logger } from '#libs/telemetry';
import type { AuditSpool } from '../audit-spool/audit-spool.js';
import type { RolloutWatch } from '../rollouts/rollout-watch.js';
import { answerError, errorMessage } from '../edge/answer-error.js';
import { isStream } from '../limits/admit.js';
import type { CallObserver } from '../observation/call-observer.js';
import type { PlacedCall } from '../sessions/place.js';
import type { SessionDirectory } from '../sessions/session-directory.js';
import { callEntry } from './audit-entries.js';
import { callEnd } from './call-end.js';
import { statusOf } from './error-status.js';
import { Reply } from './reply.js';
import { envelopeOf, runCall, type Ending, type CallTimes } from './run-call.js';
import { watchStream, type StillAllowed } from './stream-watch.js';

/** What dispatching needs. */
export interface DispatcherParts {
  readonly runtime: RuntimeClient;
  readonly spool: AuditSpool;
  readonly sessions: SessionDirectory;
  readonly observer: CallObserver;
  readonly rollouts: RolloutWatch;
  readonly logger: Logger;
  readonly callTimes: CallTimes;
  /** Asked again and again while a stream is open. */
  readonly stillAllowed: StillAllowed;
  /** Fires when the gateway stops; open streams end then. */
  readonly stopping: AbortSignal;
}

/** Sends placed calls to their workers and their answers back. */
export class Dispatcher {
  constructor(private readonly parts: DispatcherParts) {}

  /** Runs a call to its end. @throws AppError unavailable when its intent cannot be recorded */
  async dispatch(call: PlacedCall, response: ServerResponse): Promise<void> {
    const entry = callEntry(call);
    const record = entry && (await this.parts.spool.intend(entry));
    const reply = new Reply(response, call.session.kind === 'opens' ? call.session.id : undefined);
    const envelope = envelopeOf(call, this.parts.callTimes);
    if (call.exchange.operation === 'listen') reply.openStream();
    const ending = await this.#run(call, envelope, reply, response);
    const ms = Math.round((performance.now() - call.startedMs) * 10) / 10;
    const upstream =
      ending.kind === 'done' && ending.upstreamMs !== undefined ? { upstream_ms: Math.round(ending.upstreamMs) } : {};
    record?.end({ outcome: ending.outcome, details: { duration_ms: ms, ...upstream } });
    this.parts.observer.count(callEnd(call, ending, ms / 1_000));
    this.parts.rollouts.note(call, envelope, ending, ms);
    await this.#updateSession(call, ending, reply);
    if (ending.kind === 'done') answer(call, ending, reply);
    else this.#answerFailure(call, ending, reply, response);
  }

  async #run(call: PlacedCall, envelope: Envelope, reply: Reply, response: ServerResponse): Promise<Ending> {
    const { runtime, stopping, stillAllowed } = this.parts;
    if (!isStream(call.exchange)) return runCall(runtime, call, envelope, reply, response, stopping);
    const watch = watchStream(call, stillAllowed, stopping);
    try {
      return await runCall(runtime, call, envelope, reply, response, watch.signal);
    } finally {
      watch.done();
    }
  }

  async #updateSession(call: PlacedCall, ending: Ending, reply: Reply): Promise<void> {
    const { session } = call;
    if (session.kind === 'opens') {
      if (ending.outcome !== 'ok') return reply.forgetSession();
      await this.parts.sessions.open(session.id, {
        tenantId: call.tenant.tenantId,
        resource: call.target.resource,
        principalBinding: call.principalBinding,
        route: call.route,
      });
    }
    if (session.kind !== 'uses') return;
    const gone = ending.kind === 'failed' && ending.failure.code === 'session_not_found';
    if (gone || call.exchange.operation === 'close') {
      const { tenantId } = call.tenant;
      await this.parts.sessions.end(session.id, { tenantId, principalBinding: call.principalBinding });
    }
  }

  #answerFailure(
    call: PlacedCall,
    ending: Extract<Ending, { kind: 'failed' }>,
    reply: Reply,
    response: ServerResponse,
  ): void {
    const { code, ...given } = ending.failure;
    const { head, operation } = call.exchange;
    const error = new AppError(code, given);
    if (ending.outcome !== 'cancelled') {
      this.parts.logger[ending.outcome === 'protocol_error' ? 'info' : 'warn'](
        {
          tenant_id: call.tenant.tenantId,
          trace_id: call.traceId,
          method: head?.method,
          outcome: ending.outcome,
          code,
        },
        'call failed',
      );
    }
    if (operation === 'listen') reply.end();
    else if (reply.streaming) reply.finish(error.status, Buffer.from(JSON.stringify(errorMessage(error, head?.id))));
    else answerError(response, error, head?.id, undefined);
  }
}

function answer(call: PlacedCall, ending: Extract<Ending, { kind: 'done' }>, reply: Reply): void {
  const { exchange } = call;
  if (exchange.operation === 'close') reply.finish(200, Buffer.from('{}'));
  else if (ending.message.length === 0) reply.end();
  else reply.finish(statusOf(exchange.era, ending.outcome, ending.message), ending.message);
}
