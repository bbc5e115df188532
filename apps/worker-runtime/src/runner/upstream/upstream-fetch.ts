import { AsyncLocalStorage } from 'node:async_hooks';
import type { FetchLike } from '@modelcontextprotocol/client';
import type { EgressPort, StreamOwner } from '../serve/egress-port.js';
import { EgressFailure } from '../serve/egress-stream.js';

/** For whom an upstream is asked something. */
export interface Asking {
  /** The exchange that waits for it. */
  readonly s: number;
  /** Epoch milliseconds past which nobody waits. */
  readonly lastMs: number;
  /** `connect`: while a session is opened, which opens a stream of its own. */
  readonly kind: 'call' | 'connect';
  /** Whether it has ended; what comes after it is for no exchange. */
  readonly isOver?: () => boolean;
  /** Hears that the answer's stream ended, and why where that is known; not final when it can be taken up again. */
  readonly onStreamEnd?: (final: boolean, failure?: EgressFailure) => void;
}

const asking = new AsyncLocalStorage<Asking>();
const FAREWELL_MS = 5_000;
const STANDING_MS = 3_600_000;
/** The number of no exchange. */
export const NOBODY = 0;
const CANCELLED = '"method":"notifications/cancelled"';
/** An event's id, by which a broken stream can be taken up again. */
const EVENT_ID = /^id:/m;

/** Runs something that asks an upstream, for an exchange. */
export function askingFor<Answer>(whose: Asking, ask: () => Promise<Answer>): Promise<Answer> {
  return asking.run(whose, ask);
}

/**
 * The `fetch` of one upstream session: through egress, each request for the exchange that it is made for. What the session
 * does by itself is for no exchange: its own stream, where its caller can be told what comes by it, and its farewells.
 */
export function upstreamFetch(port: EgressPort, owner: Omit<StreamOwner, 's'>, listens: boolean): FetchLike {
  return async (url, init = {}) => {
    const { method = 'GET' } = init;
    const whose = asking.getStore();
    const headers = Object.fromEntries(new Headers(init.headers).entries());
    const body = typeof init.body === 'string' ? Buffer.from(init.body) : undefined;
    const request = { method, url: String(url), headers, body, signal: init.signal ?? undefined };
    const standing = method === 'GET' && whose?.kind !== 'call';
    if (standing && !listens) return new Response(null, { status: 405 });
    if (standing) return port.open({ ...owner, s: NOBODY }, { ...request, timeoutMs: STANDING_MS });
    if (whose === undefined || whose.isOver?.() === true || method === 'DELETE' || body?.includes(CANCELLED) === true)
      return port.open({ ...owner, s: NOBODY }, { ...request, timeoutMs: FAREWELL_MS });
    const timeoutMs = Math.max(1, whose.lastMs - Date.now());
    const response = await port.open({ ...owner, s: whose.s }, { ...request, timeoutMs });
    return whose.onStreamEnd === undefined ? response : watched(response, whose.onStreamEnd);
  };
}

/** The same answer; its stream's end is told, and whether it could be taken up again. */
function watched(response: Response, onStreamEnd: NonNullable<Asking['onStreamEnd']>): Response {
  if (response.body === null || response.headers.get('content-type')?.startsWith('text/event-stream') !== true)
    return response;
  let resumable = false;
  const reader = response.body.getReader();
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
