import type { ToRunnerFrame } from '#libs/protocol';
import type { RunnerPipe } from '../pipe.js';
import type { FetchAnswer, Fetcher } from '../tools/fetcher.js';

/** Whose fetches these are: the exchange, the tool they are made for, and how long anybody waits. */
export interface FetchOwner {
  readonly s: number;
  readonly digest: string;
  readonly tool: string;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
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
  readonly #waiting = new Map<number, (answer: SettledFetch) => void>();
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
      return new Promise((resolve) => {
        const abort = (): void => {
          if (!this.#waiting.delete(f)) return;
          this.#pipe.send({ t: 'fetch-abort', f });
          resolve(cancelled);
        };
        if (owner.signal.aborted) return resolve(cancelled);
        this.#waiting.set(f, (answer) => {
          owner.signal.removeEventListener('abort', abort);
          resolve(answer.kind === 'failed' ? { ...answer, timeoutMs } : answer);
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

  /** Hands an answer of egress to the call that waits for it. */
  settle(frame: Extract<ToRunnerFrame, { t: 'fetched' | 'fetch-failed' }>, payload: Buffer): void {
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
    else
      waiting?.({
        kind: 'failed',
        reason: frame.reason,
        message: frame.message,
        ...(frame.retryAtMs === undefined ? {} : { retryAtMs: frame.retryAtMs }),
      });
  }
}
