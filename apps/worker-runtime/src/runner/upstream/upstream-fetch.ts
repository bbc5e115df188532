import { AsyncLocalStorage } from 'node:async_hooks';
import type { FetchLike, RequestId } from '@modelcontextprotocol/client';
import type { EgressPort, StreamOwner } from '../egress/egress-port.js';
import { EgressFailure } from '../egress/egress-stream.js';
import { boundedAnswer } from './bounded-answer.js';

/** For whom an upstream is asked something. */
export interface Asking {
  /** The exchange that waits for it. */
  readonly s: number;
  /** Epoch milliseconds past which nobody waits. */
  readonly lastMs: number;
  /**
   * `connect`: while a session is opened, which opens a stream of its own. `listen`: a stream that tells of changes.
   * `aside`: what no exchange waits for.
   */
  readonly kind: 'call' | 'connect' | 'listen' | 'aside';
  /** Set for a call that may go on when its exchange has ended, waiting for its client. */
  readonly lasts?: true;
  /** Whether it has ended; what comes after it is for no exchange. */
  readonly isOver?: () => boolean;
  /** Hears that the answer's stream ended, and why where that is known; not final when it can be taken up again. */
  readonly onStreamEnd?: (final: boolean, failure?: EgressFailure) => void;
  /** The request that was sent last, until it is answered. */
  unanswered?: RequestId | undefined;
  /** Whether its answer comes by a stream. */
  streams?: boolean;
}

/** What the `fetch` of a session needs to know of it. */
export interface FetchOptions {
  /** Whether somebody hears what comes by the session's own stream. */
  readonly listens: boolean;
  /** Hears of that stream. */
  readonly onStream?: (is: 'begun' | 'ended') => void;
}

const asking = new AsyncLocalStorage<Asking>();
const ASIDE_MS = 5_000;
const STANDING_MS = 3_600_000;
/** A stream that is listened to with a person's own login is opened anew more often: only while they are logged in. */
const OWN_STANDING_MS = 900_000;
/** The number of no exchange. */
export const NOBODY = 0;
const ASIDE: Asking = { s: NOBODY, lastMs: 0, kind: 'aside' };
/** An event's id, by which a broken stream can be taken up again. */
const EVENT_ID = /^id:/m;

/** Runs something that asks an upstream, for an exchange. */
export function askingFor<Answer>(whose: Asking, ask: () => Promise<Answer>): Promise<Answer> {
  return asking.run(whose, ask);
}

/** For whom an upstream is asked now, or was asked for what comes in now. */
export function askingNow(): Asking | undefined {
  return asking.getStore();
}

/** Runs something that no exchange waits for. */
export function aside<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  return asking.run({ ...ASIDE }, ask);
}

/** Opens a stream that tells of changes, for no exchange. */
export function listening<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  return asking.run({ ...ASIDE, kind: 'listen' }, ask);
}

/**
 * The `fetch` of one upstream session: through egress, each request for the exchange that it is made for. What the session
 * does by itself is for no exchange: its own stream, where its caller can be told what comes by it, and its farewells.
 */
export function upstreamFetch(
  port: Pick<EgressPort, 'open'>,
  owner: Omit<StreamOwner, 's'>,
  { listens, onStream }: FetchOptions,
): FetchLike {
  const standingMs = owner.session === undefined ? STANDING_MS : OWN_STANDING_MS;
  const standing = { ...owner, s: NOBODY, lasts: true } as const;
  const open: EgressPort['open'] = async (...asked) => boundedAnswer(await port.open(...asked));
  return async (url, init = {}) => {
    const { method = 'GET' } = init;
    const whose = asking.getStore();
    const headers = Object.fromEntries(new Headers(init.headers).entries());
    const body = typeof init.body === 'string' ? Buffer.from(init.body) : undefined;
    const request = { method, url: String(url), headers, body, signal: init.signal ?? undefined };
    if (method === 'GET' && whose?.kind !== 'call') {
      if (!listens) return new Response(null, { status: 405 });
      const response = await open(standing, { ...request, timeoutMs: standingMs });
      if (onStream === undefined || !isStream(response)) return response;
      onStream('begun');
      return watched(response, () => onStream('ended'));
    }
    if (whose?.kind === 'listen') return open(standing, { ...request, timeoutMs: STANDING_MS });
    if (whose === undefined || whose.isOver?.() === true || method === 'DELETE' || whose.kind === 'aside')
      return open({ ...owner, s: NOBODY }, { ...request, timeoutMs: ASIDE_MS });
    const timeoutMs = Math.max(1, whose.lastMs - Date.now());
    const { s, lasts, onStreamEnd } = whose;
    const response = await open({ ...owner, s, ...(lasts === true ? { lasts } : {}) }, { ...request, timeoutMs });
    whose.streams = isStream(response);
    return onStreamEnd === undefined || !whose.streams ? response : watched(response, onStreamEnd);
  };
}

function isStream({ body, headers }: Response): boolean {
  return body !== null && headers.get('content-type')?.startsWith('text/event-stream') === true;
}

/** The same answer; its stream's end is told, and whether it could be taken up again. */
function watched(response: Response, onStreamEnd: NonNullable<Asking['onStreamEnd']>): Response {
  const reader = response.body?.getReader();
  if (reader === undefined) return response;
  let resumable = false;
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      try {
        const { done, value } = await reader.read();
        if (!done) {
          resumable ||= EVENT_ID.test(Buffer.from(value).toString('latin1'));
          controller.enqueue(value);
          return;
        }
        controller.close();
        onStreamEnd(!resumable);
      } catch (error) {
        controller.error(error);
        if (error instanceof EgressFailure && error.reason === 'too_large') onStreamEnd(true, error);
        else onStreamEnd(!resumable);
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
  const { status, headers } = response;
  return new Response(body, { status, headers });
}
