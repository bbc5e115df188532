import { NumberMap } from '#libs/protocol';
import type { RunnerPipe } from '../pipe.js';
import type { FetchAnswer, Fetcher } from '../http-request/fetcher.js';
import { LoginNeeded, StreamedAnswer, type FetchedFrame } from './egress-stream.js';

/** Whose fetches these are: the exchange, the tool they are made for, and how long anybody waits. */
export interface FetchOwner {
  readonly s: number;
  readonly digest: string;
  readonly tool: string;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/** Whose requests to an upstream server these are: like a tool's, or a farewell, which no exchange waits for (`s` 0). */
export interface StreamOwner extends Pick<FetchOwner, 's' | 'digest' | 'tool'> {
  /** Set where it goes on when its exchange has ended. */
  readonly lasts?: true;
  /** Names the upstream session, where people have logins of their own there. */
  readonly session?: string;
}

/** A request whose answer may be an event stream. */
export interface StreamRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** What egress says of a fetch; how long it was given is for its asker to know. */
type SettledFetch =
  | Extract<FetchAnswer, { kind: 'answered' }>
  | Omit<Extract<FetchAnswer, { kind: 'failed' }>, 'timeoutMs'>;

/** Time kept back from the deadline, so that the answer about a timeout still arrives. */
const ANSWER_RESERVE_MS = 250;
const TIMEOUT_MS_MIN = 1;

/** The runner's only way out: fetches are frames, egress makes the requests. */
export class EgressPort {
  readonly #pipe: RunnerPipe;
  readonly #waiting = new NumberMap<(answer: SettledFetch | LoginNeeded) => void>();
  readonly #streams = new Map<number, StreamedAnswer>();
  #last = 0;

  constructor(pipe: RunnerPipe) {
    this.#pipe = pipe;
  }

  /** How one call's tool fetches. An aborted call's fetch is aborted and answered as such. */
  forCall(owner: FetchOwner): Fetcher {
    return (request) => {
      const f = ++this.#last;
      const timeoutMs = Math.max(
        TIMEOUT_MS_MIN,
        Math.min(request.timeoutMs, owner.deadlineMs - Date.now() - ANSWER_RESERVE_MS),
      );
      const cancelled = { kind: 'failed', reason: 'aborted', message: 'The call was cancelled.', timeoutMs } as const;
      return new Promise((resolve, reject) => {
        const abort = (): void => {
          if (!this.#waiting.delete(f)) return;
          this.#pipe.send({ t: 'fetch-abort', f });
          resolve(cancelled);
        };
        if (owner.signal.aborted) return resolve(cancelled);
        this.#waiting.set(f, (answer) => {
          owner.signal.removeEventListener('abort', abort);
          if (answer instanceof LoginNeeded) reject(answer);
          else resolve(answer.kind === 'failed' ? { ...answer, timeoutMs } : answer);
        });
        owner.signal.addEventListener('abort', abort, { once: true });
        const { method, url, headers } = request;
        this.#pipe.send(
          { t: 'fetch', f, s: owner.s, digest: owner.digest, tool: owner.tool, method, url, headers, timeoutMs },
          request.body,
        );
      });
    };
  }

  /** Tells that an upstream of a release lists what was not approved. */
  drifted(digest: string): void {
    this.#pipe.send({ t: 'drifted', digest });
  }

  /** Makes a request whose answer may be an event stream. @throws EgressFailure; what its signal was aborted with */
  open(owner: StreamOwner, { signal, body, ...request }: StreamRequest): Promise<Response> {
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    const f = ++this.#last;
    const end = (): void => {
      signal?.removeEventListener('abort', abort);
      if (this.#streams.delete(f)) this.#pipe.send({ t: 'fetch-abort', f });
    };
    const abort = (): void => {
      end();
      answer.fail(signal?.reason);
    };
    const answer = new StreamedAnswer(end);
    this.#streams.set(f, answer);
    signal?.addEventListener('abort', abort, { once: true });
    this.#pipe.send({ t: 'fetch', f, ...owner, ...request, stream: true }, body);
    return answer.response;
  }

  /** Hands an answer of egress to the call that waits for it. */
  settle(frame: FetchedFrame, payload: Buffer): void {
    const stream = this.#streams.get(frame.f);
    if (stream !== undefined) {
      if (stream.receive(frame, payload)) this.#streams.delete(frame.f);
      return;
    }
    if (frame.t === 'fetch-began' || frame.t === 'fetch-data') return; // nobody reads it any more
    const waiting = this.#waiting.get(frame.f);
    this.#waiting.delete(frame.f);
    if (frame.t === 'fetched')
      waiting?.({
        kind: 'answered',
        status: frame.status,
        headers: frame.headers,
        body: payload,
        ...(frame.stale === undefined ? {} : { stale: frame.stale }),
      });
    else if (frame.login !== undefined) waiting?.(new LoginNeeded(frame.login));
    else
      waiting?.({
        kind: 'failed',
        reason: frame.reason,
        message: frame.message,
        ...(frame.retryAtMs === undefined ? {} : { retryAtMs: frame.retryAtMs }),
      });
  }
}
