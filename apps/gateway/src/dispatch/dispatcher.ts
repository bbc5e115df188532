import type { ServerResponse } from 'node:http';
import type { PersonLogins } from '#libs/connections';
import { AppError } from '#libs/errors';
import type { Envelope, PersonTokens } from '#libs/protocol';
import type { Logger } from '#libs/telemetry';
import type { AuditSpool } from '../audit-spool/audit-spool.js';
import type { RolloutWatch } from '../rollouts/rollout-watch.js';
import { answerError, errorMessage } from '../edge/answer-error.js';
import { isStream } from '../limits/admit.js';
import type { CallObserver } from '../observation/call-observer.js';
import type { OldSessions } from '../old-transport/old-sessions.js';
import type { OpenStreams } from '../open-streams/open-streams.js';
import type { Resumption } from '../open-streams/resumption.js';
import type { ResultCache } from '../result-cache/result-cache.js';
import { auditModeOf } from '../routing/environment-bounds.js';
import type { PlacedCall } from '../sessions/place.js';
import type { Sessions } from '../sessions/sessions.js';
import type { KeptTasks } from '../tasks/kept-tasks.js';
import { calledServer, callEntry } from './audit-entries.js';
import { callEnd, withheldEnd } from './call-end.js';
import { answerOf, outcomeOf, tenths, withheldOutcome, type CallAnswer } from './call-outcome.js';
import { Reply } from './reply.js';
import { envelopeOf, runCall, type CallTimes, type CallWays, type Ending } from './run-call.js';

/** What dispatching needs. */
export interface DispatcherParts extends CallWays {
  readonly spool: AuditSpool;
  readonly sessions: Sessions;
  readonly resumption: Resumption;
  readonly results: ResultCache;
  readonly streams: OpenStreams;
  readonly tasks: KeptTasks;
  readonly oldSessions: OldSessions;
  readonly logins: PersonLogins;
  readonly observer: CallObserver;
  readonly rollouts: RolloutWatch;
  readonly logger: Logger;
  readonly callTimes: CallTimes;
  readonly heartbeatMs: number;
  /** Fires when the gateway stops; open streams end then. */
  readonly stopping: AbortSignal;
}

/** Sends placed calls to their workers and their answers back. */
export class Dispatcher {
  constructor(private readonly parts: DispatcherParts) {}

  /** Runs a call to its end. @throws AppError unavailable when its intent cannot be recorded */
  async dispatch(placed: PlacedCall, response: ServerResponse): Promise<void> {
    const open = this.parts.observer.enter(placed);
    try {
      await this.#dispatch(placed, response, open?.concurrency);
    } finally {
      open?.leave();
    }
  }

  async #dispatch(placed: PlacedCall, response: ServerResponse, concurrency: number | undefined): Promise<void> {
    const call = { ...placed, tokens: tokensOf(this.parts.logins, placed) };
    const server = calledServer(call);
    const entry = callEntry(call, server);
    const record = entry && (await this.parts.spool.intend(entry, auditModeOf(call.tenant, server)));
    const reply = new Reply(response, {
      sessionId: call.session.kind === 'opens' ? call.session.id : undefined,
      heartbeatMs: this.parts.heartbeatMs,
      opens: call.exchange.operation === 'message' ? 'in-time' : 'when-told',
      ...this.parts.resumption.optionsFor(call),
      ...this.parts.oldSessions.optionsFor(call),
    });
    const calls = call.exchange.head?.method === 'tools/call';
    const recordsContent = calls && server?.recordsContent === true;
    const envelope = {
      ...envelopeOf(call, this.parts.callTimes),
      ...(recordsContent ? { recordsContent } : {}),
      ...(calls && server !== undefined ? { inlineBytes: server.inlineBytes } : {}),
    };
    const ending = await this.#runOrRecall(call, envelope, reply, response);
    const ms = tenths(performance.now() - call.startedMs);
    const answered = answerOf(call, ending, reply);
    const recorded = record?.end(outcomeOf(ending, answered, reply, ms), (error) =>
      withheldOutcome(ending, error, reply, ms),
    );
    this.parts.rollouts.note(call, envelope, ending, ms);
    await this.#updateSession(call, ending, reply);
    const unrecorded = await recorded;
    const totalMs = tenths(performance.now() - call.startedMs);
    const end = callEnd(call, ending, answered, { ms, totalMs, concurrency, left: response.destroyed });
    this.parts.observer.count(unrecorded === undefined ? end : withheldEnd(end, unrecorded));
    if (unrecorded !== undefined) this.#answerFailure(call, { outcome: 'refused', error: unrecorded }, reply, response);
    else if (ending.kind === 'done') answer(call, ending, answered, reply);
    else this.#answerFailure(call, { ...answered, outcome: ending.outcome }, reply, response);
  }

  /** An answer that may be given from before is; a worker's own is kept for the next, where it may be. */
  async #runOrRecall(call: PlacedCall, envelope: Envelope, reply: Reply, response: ServerResponse): Promise<Ending> {
    const question = this.parts.results.ask(call);
    if (question?.answer !== undefined)
      return { kind: 'done', message: question.answer, outcome: 'ok', upstreamMs: undefined };
    const ending = await this.#runTask(call, envelope, reply, response);
    if (question === undefined || ending.kind !== 'done' || ending.outcome !== 'ok') return ending;
    return { ...ending, message: question.keep(ending.message, ending.facts?.own === true ? 'own' : 'anybody') };
  }

  /** What came of a task is given from before; one that runs is asked about where it began. */
  async #runTask(call: PlacedCall, envelope: Envelope, reply: Reply, response: ServerResponse): Promise<Ending> {
    const { tasks } = this.parts;
    const recalled = await tasks.recall(call);
    if (recalled?.kind === 'ended') return recalled.ending;
    const asked = recalled === undefined ? envelope : { ...envelope, route: recalled.route };
    return tasks.keep(call, asked, recalled, await this.#run(call, asked, reply, response));
  }

  #run(call: PlacedCall, envelope: Envelope, reply: Reply, response: ServerResponse): Promise<Ending> {
    const { streams, oldSessions, stopping } = this.parts;
    if (call.target.transport === 'sse') return oldSessions.hold(call, reply, response);
    return isStream(call.exchange)
      ? streams.run({ call, envelope, reply, response })
      : runCall(this.parts, call, envelope, reply, response, stopping);
  }

  async #updateSession(call: PlacedCall, ending: Ending, reply: Reply): Promise<void> {
    const { session } = call;
    if (session.kind === 'opens') {
      if (ending.outcome !== 'ok') return reply.forgetSession();
      await this.parts.sessions.open(call, session, call.route);
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
    if (operation === 'listen' && reply.streaming) reply.end();
    else if (reply.streaming) reply.finish(error.status, Buffer.from(JSON.stringify(errorMessage(error, head?.id))));
    else answerError(response, error, head?.id, undefined);
  }
}

/** Tokens of the person who calls; keys and machines are nobody in person. */
function tokensOf(logins: PersonLogins, { principal, tenant }: PlacedCall): PersonTokens | undefined {
  if (principal.kind !== 'person') return undefined;
  const { tenantId, slug: tenantSlug } = tenant;
  return logins.tokensFor({ tenantId, tenantSlug, accountId: principal.subject });
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
