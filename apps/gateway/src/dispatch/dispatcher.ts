import type { ServerResponse } from 'node:http';
import { AppError } from '#libs/errors';
import type { Envelope, RuntimeClient } from '#libs/protocol';
import type { Logger } from '#libs/telemetry';
import type { AuditSpool } from '../audit-spool/audit-spool.js';
import { answerError, errorMessage } from '../edge/answer-error.js';
import { isStream } from '../limits/admit.js';
import type { CallObserver } from '../observation/call-observer.js';
import type { PlacedCall } from '../sessions/place.js';
import type { SessionDirectory } from '../sessions/session-directory.js';
import { calledServer, callEntry } from './audit-entries.js';
import { callEnd } from './call-end.js';
import { answerOf, outcomeOf, tenths, type CallAnswer } from './call-outcome.js';
import { Reply } from './reply.js';
import { envelopeOf, runCall, type Ending, type CallTimes } from './run-call.js';
import { watchStream, type StillAllowed } from './stream-watch.js';

/** What dispatching needs. */
export interface DispatcherParts {
  readonly runtime: RuntimeClient;
  readonly spool: AuditSpool;
  readonly sessions: SessionDirectory;
  readonly observer: CallObserver;
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
    const server = calledServer(call);
    const entry = callEntry(call, server);
    const record = entry && (await this.parts.spool.intend(entry, call.tenant.auditMode));
    const reply = new Reply(response, call.session.kind === 'opens' ? call.session.id : undefined);
    const recordsContent = server?.recordsContent === true && call.exchange.head?.method === 'tools/call';
    const envelope = {
      ...envelopeOf(call, this.parts.callTimes),
      ...(recordsContent ? { recordsContent } : {}),
    };
    if (call.exchange.operation === 'listen') reply.openStream();
    const ending = await this.#run(call, envelope, reply, response);
    const ms = tenths(performance.now() - call.startedMs);
    const answered = answerOf(call, ending, reply);
    const recorded = record?.end(outcomeOf(ending, answered, reply, ms));
    this.parts.observer.count(callEnd(call, ending, answered, ms / 1_000));
    await this.#updateSession(call, ending, reply);
    const unrecorded = await recorded;
    if (unrecorded !== undefined) this.#answerFailure(call, { outcome: 'refused', error: unrecorded }, reply, response);
    else if (ending.kind === 'done') answer(call, ending, answered, reply);
    else this.#answerFailure(call, { ...answered, outcome: ending.outcome }, reply, response);
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
    { outcome, error = new AppError('internal') }: { readonly outcome: string; readonly error?: AppError },
    reply: Reply,
    response: ServerResponse,
  ): void {
    const { head, operation } = call.exchange;
    if (outcome !== 'cancelled') {
      this.parts.logger[outcome === 'protocol_error' ? 'info' : 'warn'](
        {
          tenant_id: call.tenant.tenantId,
          trace_id: call.traceId,
          method: head?.method,
          outcome,
          code: error.code,
        },
        'call failed',
      );
    }
    if (operation === 'listen') reply.end();
    else if (reply.streaming) reply.finish(error.status, Buffer.from(JSON.stringify(errorMessage(error, head?.id))));
    else answerError(response, error, head?.id, undefined);
  }
}

function answer(
  call: PlacedCall,
  ending: Extract<Ending, { kind: 'done' }>,
  { status }: CallAnswer,
  reply: Reply,
): void {
  const { exchange } = call;
  if (exchange.operation === 'close') reply.finish(200, Buffer.from('{}'));
  else if (ending.message.length === 0) reply.end();
  else reply.finish(status, ending.message);
}
