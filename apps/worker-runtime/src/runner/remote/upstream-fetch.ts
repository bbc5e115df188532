import { AsyncLocalStorage } from 'node:async_hooks';
import type { FetchLike } from '@modelcontextprotocol/client';
import type { EgressPort, StreamOwner } from '../serve/egress-port.js';

/** For whom an upstream is asked something. */
export interface Asking {
  /** The exchange that waits for it. */
  readonly s: number;
  /** Epoch milliseconds past which nobody waits. */
  readonly lastMs: number;
  /** `connect`: while a session is opened; what is asked for later on its behalf waits for somebody to listen. */
  readonly kind: 'call' | 'connect' | 'listen';
  /** Hears that the answer's stream ended; false when it can be taken up again. */
  readonly onStreamEnd?: (final: boolean) => void;
}

const asking = new AsyncLocalStorage<Asking>();
const FAREWELL_MS = 5_000;
const CANCELLED = '"method":"notifications/cancelled"';
/** An event's id, by which a broken stream can be taken up again. */
const EVENT_ID = /^id:/m;

/** Runs something that asks an upstream, for an exchange. */
export function askingFor<Answer>(whose: Asking, ask: () => Promise<Answer>): Promise<Answer> {
  return asking.run(whose, ask);
}

/** The way of one upstream session to its upstream: through egress, each request for the exchange that it is made for. */
export class UpstreamFetch {
  readonly #port: EgressPort;
  readonly #owner: Omit<StreamOwner, 's'>;
  #listener: Asking | undefined;
  #waiting: Array<(listener: Asking) => void> = [];

  constructor(port: EgressPort, owner: Omit<StreamOwner, 's'>) {
    this.#port = port;
    this.#owner = owner;
  }

  /** Somebody listens, for as long as their exchange lasts: streams that wait for that are opened. */
  listen(listener: Asking | undefined): void {
    this.#listener = listener;
    if (listener === undefined) return;
    for (const wake of this.#waiting.splice(0)) wake(listener);
  }

  /** For the SDK's transport. */
  readonly fetch: FetchLike = async (url, init = {}) => {
    const { method = 'GET' } = init;
    const whose = asking.getStore();
    const headers = Object.fromEntries(new Headers(init.headers).entries());
    const body = typeof init.body === 'string' ? Buffer.from(init.body) : undefined;
    const signal = init.signal ?? undefined;
    const request = { method, url: String(url), headers, body, signal };
    if (method === 'DELETE' || body?.includes(CANCELLED) === true || whose === undefined)
      return this.#port.open({ ...this.#owner, s: 0 }, { ...request, timeoutMs: FAREWELL_MS });
    const by = method === 'GET' && whose.kind !== 'call' ? await this.#untilHeard(signal) : whose;
    const timeoutMs = Math.max(1, by.lastMs - Date.now());
    const response = await this.#port.open({ ...this.#owner, s: by.s }, { ...request, timeoutMs });
    return whose.onStreamEnd === undefined ? response : watched(response, whose.onStreamEnd);
  };

  #untilHeard(signal: AbortSignal | undefined): Promise<Asking> {
    if (this.#listener !== undefined) return Promise.resolve(this.#listener);
    return new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      this.#waiting.push(resolve);
    });
  }
}

/** The same answer; its stream's end is told, and whether it could be taken up again. */
function watched(response: Response, onStreamEnd: (final: boolean) => void): Response {
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
      } catch (error) {
        controller.error(error);
      }
      onStreamEnd(!resumable);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  const { status, headers } = response;
  return new Response(body, { status, headers });
}
