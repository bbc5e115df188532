import type { ServerResponse } from 'node:http';
import { AppError } from '#libs/errors';
import { errorMessage } from '../edge/answer-error.js';
import type { PlacedCall } from '../sessions/place.js';
import { eventIdText, newStream, readEventId, type EventId } from '../streams/event-id.js';
import { EventLog } from '../streams/event-log.js';
import type { EventOwner, EventStore } from '../streams/event-store.js';
import { followEvents } from '../streams/follow-events.js';
import type { Reply, ReplyOptions } from '../dispatch/reply.js';
import type { Ending } from '../dispatch/run-call.js';

/** How long the rest of a lost stream is waited for, which another gateway may be about to end. */
const CATCH_UP_MS = 2_000;
/** The first version whose agents understand an event without data. */
const PRIMED_VERSION = '2025-11-25';

/** Nothing is kept of the stream that a client would go on with. */
const LOST: Ending = {
  kind: 'failed',
  failure: {
    code: 'invalid_request',
    message: 'The events after this Last-Event-ID are no longer kept. Send the request again.',
  },
  outcome: 'protocol_error',
};

/** Streams of 2025-era sessions that their clients have lost and go on with (MCP 2025-11-25, transports, "Resumability"). */
export class Resumption {
  constructor(private readonly store: EventStore) {}

  /** What makes an answer resumable; nothing for answers outside sessions. */
  optionsFor(call: PlacedCall): Pick<ReplyOptions, 'log' | 'primes' | 'substitute'> {
    const owner = ownerOf(call);
    const { operation, head } = call.exchange;
    if (call.target.transport !== 'http' || !call.tenant.flags.resumable_streams) return {};
    if (owner === undefined || operation === 'close' || this.#resumed(call)?.kind === 'answer') return {};
    const primes = String(call.request.headers['mcp-protocol-version'] ?? '') >= PRIMED_VERSION;
    if (operation === 'listen') return { log: new EventLog(this.store, owner, () => newStream('session')), primes };
    if (head?.kind !== 'request') return {};
    const substitute = (): Buffer => Buffer.from(JSON.stringify(errorMessage(tooLargeToKeep(), head.id)));
    return { log: new EventLog(this.store, owner, () => newStream('answer')), primes, substitute };
  }

  /** Whether a call goes on with the answer to a request, for which its worker is not asked again. @throws AppError invalid_request */
  resumesAnswer(call: PlacedCall): boolean {
    return this.#resumed(call)?.kind === 'answer';
  }

  /** Sends what was missed of the answer to a request, and what comes, until it ends; fails where nothing of it is kept. */
  async replayAnswer(call: PlacedCall, reply: Reply, response: ServerResponse, signal: AbortSignal): Promise<Ending> {
    const owner = ownerOf(call);
    const from = this.#resumed(call);
    if (owner === undefined || from === undefined) return LOST;
    try {
      if ((await this.store.read(owner, from.stream, '-')).events.length === 0) return LOST;
      reply.openStream();
      for await (const event of followEvents(this.store, owner, from, leaving(response, signal)))
        if (!reply.replay(event.message, eventIdText(from.stream, event.number))) response.destroy();
      return { kind: 'done', message: Buffer.alloc(0), outcome: 'ok', upstreamMs: undefined };
    } catch {
      // Redis is away, and with it what was missed.
      return { kind: 'failed', failure: { code: 'unavailable', retryAfterSeconds: 2 }, outcome: 'refused' };
    }
  }

  /** Sends what was missed of a session's own stream before what comes on the new one, which waits meanwhile. */
  async catchUp(call: PlacedCall, reply: Reply, response: ServerResponse): Promise<void> {
    const owner = ownerOf(call);
    const from = this.#resumed(call);
    if (owner === undefined || from === undefined) return;
    reply.hold();
    const signal = leaving(response, AbortSignal.timeout(CATCH_UP_MS));
    try {
      for await (const event of followEvents(this.store, owner, from, signal)) reply.replay(event.message);
    } catch {
      // Redis is away, and with it what was missed; the stream goes on.
    } finally {
      reply.release();
    }
  }

  #resumed(call: PlacedCall): EventId | undefined {
    const { lastEventId } = call.exchange;
    if (lastEventId === undefined) return undefined;
    const event = readEventId(lastEventId);
    if (event === undefined) {
      throw new AppError('invalid_request', { message: 'Last-Event-ID is no id of an event that was sent here.' });
    }
    return event;
  }
}

function tooLargeToKeep(): AppError {
  return new AppError('too_large', {
    message: 'The answer was too large to be kept for a stream that was lost. Send the request again.',
  });
}

function ownerOf({ tenant, session }: PlacedCall): EventOwner | undefined {
  return session.kind === 'uses' ? { tenantId: tenant.tenantId, sessionId: session.id } : undefined;
}

/** Fires with the signal, or when the client leaves. */
function leaving(response: ServerResponse, signal: AbortSignal): AbortSignal {
  const left = new AbortController();
  if (response.destroyed) left.abort();
  response.once('close', () => left.abort());
  return AbortSignal.any([signal, left.signal]);
}
