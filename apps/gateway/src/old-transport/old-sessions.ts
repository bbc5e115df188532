import type { ServerResponse } from 'node:http';
import { AppError } from '#libs/errors';
import type { Envelope } from '#libs/protocol';
import type { Reply, ReplyOptions } from '../dispatch/reply.js';
import { envelopeOf, runCall, type CallTimes, type CallWays, type Ending } from '../dispatch/run-call.js';
import { errorMessage } from '../edge/answer-error.js';
import type { MessageHead } from '../edge/exchange.js';
import { watchStream, type StillAllowed } from '../open-streams/stream-watch.js';
import type { PlacedCall } from '../sessions/place.js';
import type { Sessions } from '../sessions/sessions.js';
import { EventLog } from '../streams/event-log.js';
import type { EventOwner, EventStore } from '../streams/event-store.js';
import { followEvents } from '../streams/follow-events.js';
import { SESSION_PARAMETER } from './old-requests.js';

/** What sessions of the old transport stand on. */
export interface OldSessionParts extends CallWays {
  readonly sessions: Sessions;
  readonly store: EventStore;
  readonly callTimes: CallTimes;
  readonly stillAllowed: StillAllowed;
  /** Fires when the gateway stops. */
  readonly stopping: AbortSignal;
}

/** The one stream that a session of this transport has. */
const STREAM = 'sse';
const FROM_START = { stream: STREAM, number: -1 };
const KEEP_MS = 30_000;
const EMPTY = Buffer.alloc(0);
const LEFT: Ending = { kind: 'failed', failure: { code: 'unavailable' }, outcome: 'cancelled' };

/**
 * Sessions of the HTTP+SSE transport of 2024-11-05. One gateway holds a session's stream; messages may reach any other,
 * which leaves their answers where the first one finds them. The session ends with its stream.
 */
export class OldSessions {
  constructor(private readonly parts: OldSessionParts) {}

  /** How a message is answered: accepted at once, its answer left for the session's stream. */
  optionsFor(call: PlacedCall): Pick<ReplyOptions, 'log' | 'detached' | 'substitute'> {
    const { tenant, session, target, exchange } = call;
    if (target.transport !== 'messages' || session.kind === 'none') return {};
    const owner = { tenantId: tenant.tenantId, sessionId: session.id };
    const answered = { log: new EventLog(this.parts.store, owner, () => STREAM), detached: true };
    const { head } = exchange;
    return head?.kind === 'request' ? { ...answered, substitute: () => tooLargeAnswer(head.id) } : answered;
  }

  /** Opens a session and sends what there is for it until its client leaves. */
  async hold(call: PlacedCall, reply: Reply, response: ServerResponse): Promise<Ending> {
    const { sessions, stillAllowed, stopping } = this.parts;
    const { session, tenant } = call;
    if (session.kind === 'none') return LEFT;
    const { id } = session;
    await sessions.open(call, session, call.route);
    reply.openStream();
    reply.announce('endpoint', endpointOf(call, id));
    const watch = watchStream(call, stillAllowed, stopping);
    const left = new AbortController();
    response.once('close', () => left.abort());
    const keeping = setInterval(() => void sessions.keep(id), KEEP_MS).unref();
    try {
      await this.#send(call, reply, response, AbortSignal.any([watch.signal, left.signal]), {
        tenantId: tenant.tenantId,
        sessionId: id,
      });
    } catch {
      // Redis is away: nothing would come through any more, so the stream ends.
    } finally {
      watch.done();
      clearInterval(keeping);
      await this.#end(call, id);
    }
    return LEFT;
  }

  /** Sends answers as they come; once the first came there is a session in the worker, which may speak by itself too. */
  async #send(
    call: PlacedCall,
    reply: Reply,
    response: ServerResponse,
    signal: AbortSignal,
    owner: EventOwner,
  ): Promise<void> {
    const { store, callTimes } = this.parts;
    let listening = false;
    for await (const { message } of followEvents(store, owner, FROM_START, signal)) {
      if (!reply.replay(message)) response.destroy();
      if (listening) continue;
      listening = true;
      void runCall(this.parts, call, this.#envelope(call, 'listen', callTimes), reply, response, signal);
    }
  }

  async #end(call: PlacedCall, id: string): Promise<void> {
    const { runtime, sessions, callTimes } = this.parts;
    await sessions.end(id, { tenantId: call.tenant.tenantId, principalBinding: call.principalBinding });
    const heard = { onPart: () => undefined, onDone: () => undefined, onFail: () => undefined }; // it ends there or has ended
    const at = call.session.kind === 'none' ? undefined : call.session.runtime;
    runtime.call(this.#envelope(call, 'close', callTimes), EMPTY, heard, at);
  }

  #envelope(call: PlacedCall, operation: Envelope['operation'], times: CallTimes): Envelope {
    return { ...envelopeOf(call, times), operation };
  }
}

/** What stands in the place of an answer that cannot be left for the stream: its client waits for one. */
function tooLargeAnswer(id: MessageHead['id']): Buffer {
  const tooLarge = new AppError('too_large', {
    message: 'The answer is too large for the HTTP+SSE transport. Ask for less, or use Streamable HTTP.',
  });
  return Buffer.from(JSON.stringify(errorMessage(tooLarge, id)));
}

/** Where the session's messages are POSTed, beside its stream. */
function endpointOf({ target }: PlacedCall, id: string): string {
  const { pathname } = new URL(target.resource);
  return `${pathname.replace(/sse$/, 'messages')}?${SESSION_PARAMETER}=${id}`;
}
