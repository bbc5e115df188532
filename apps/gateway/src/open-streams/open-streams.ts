import type { ServerResponse } from 'node:http';
import type { Envelope } from '#libs/protocol';
import type { Reply } from '../dispatch/reply.js';
import { runCall, type CallWays, type Ending } from '../dispatch/run-call.js';
import type { PlacedCall } from '../sessions/place.js';
import type { Sessions } from '../sessions/sessions.js';
import { changeMessages, endMessage, isAcknowledgement, type ListChanges } from './list-changes.js';
import type { ListPrints } from './list-prints.js';
import type { Resumption } from './resumption.js';
import { watchStream, type StillAllowed } from './stream-watch.js';

/** What streams that stay open stand on. */
export interface OpenStreamParts extends CallWays {
  readonly sessions: Sessions;
  readonly resumption: Resumption;
  readonly listChanges: ListChanges;
  readonly listPrints: ListPrints;
  /** Asked again and again while a stream is open. */
  readonly stillAllowed: StillAllowed;
  /** Fires when the gateway stops; open streams end then. */
  readonly stopping: AbortSignal;
}

/** A stream as its worker is asked for it. */
interface Streaming {
  readonly call: PlacedCall;
  readonly envelope: Envelope;
  readonly reply: Reply;
  readonly response: ServerResponse;
}

/** How often a session counts as used while a stream of it is open. */
const KEEP_MS = 30_000;

/** What a listener of the 2026 era reads last whose credential was revoked or has expired. */
const ACCESS_ENDED: Ending = {
  kind: 'failed',
  failure: {
    code: 'unauthenticated',
    message: 'Your access has ended or the credential has expired. Sign in again, then listen again.',
  },
  outcome: 'refused',
};

/** Runs what stays open for as long as its client listens. */
export class OpenStreams {
  constructor(private readonly parts: OpenStreamParts) {}

  /** Runs a stream to its end. */
  async run(streaming: Streaming): Promise<Ending> {
    const { call, envelope, reply, response } = streaming;
    const { session } = call;
    const { sessions, resumption, stillAllowed, stopping } = this.parts;
    const watch = watchStream(call, stillAllowed, stopping);
    const keeping = setInterval(() => session.kind === 'uses' && void sessions.keep(session.id), KEEP_MS).unref();
    try {
      if (call.exchange.era === 'modern') {
        const ending = await this.#listen(streaming, watch.signal);
        return watch.refused() && !response.destroyed ? ACCESS_ENDED : ending;
      }
      if (resumption.resumesAnswer(call)) {
        return await resumption.replayAnswer(call, reply, response, watch.signal);
      }
      reply.openStream();
      void resumption.catchUp(call, reply, response);
      return await runCall(this.parts, call, envelope, reply, response, watch.signal);
    } finally {
      watch.done();
      clearInterval(keeping);
    }
  }

  /** A stream of the 2026 era goes on when another release takes over: its client is told, its worker is another. */
  async #listen({ call, envelope, reply, response }: Streaming, ended: AbortSignal): Promise<Ending> {
    const { listChanges, listPrints } = this.parts;
    let acknowledged: Buffer | undefined;
    let place: Pick<Envelope, 'route' | 'contextVersion'> = envelope;
    for (;;) {
      const moving = listChanges.watch(call, place.route);
      const signal = AbortSignal.any([ended, moving.signal]);
      const part = (message: Buffer): boolean => {
        const again = acknowledged !== undefined && isAcknowledgement(message);
        acknowledged ??= message;
        return again || reply.part(message);
      };
      const ending = await runCall(this.parts, call, { ...envelope, ...place }, { part }, response, signal);
      moving.done();
      if (!signal.aborted || response.destroyed || acknowledged === undefined) return ending;
      const next = ended.aborted ? undefined : await listChanges.placeOf(call);
      if (next === undefined)
        return { kind: 'done', message: endMessage(call, acknowledged), outcome: 'ok', upstreamMs: undefined };
      const changed = await listPrints.difference(place.route, next.route);
      place = next;
      for (const message of changeMessages(acknowledged, changed)) reply.part(message);
    }
  }
}
