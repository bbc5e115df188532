import type { FetchFailureReason, LoginWanted, ToRunnerFrame } from '#libs/protocol';

/** Frames about a request that egress makes. */
export type FetchedFrame = Extract<ToRunnerFrame, { t: 'fetch-began' | 'fetch-data' | 'fetched' | 'fetch-failed' }>;

const FETCHED: ReadonlySet<string> = new Set<FetchedFrame['t']>([
  'fetch-began',
  'fetch-data',
  'fetched',
  'fetch-failed',
]);

/** Whether a frame is about a request that egress makes. */
export function isFetched(header: ToRunnerFrame): header is FetchedFrame {
  return FETCHED.has(header.t);
}

/** Thrown when egress brought no answer, or not all of it. */
export class EgressFailure extends Error {
  override readonly name = 'EgressFailure';

  constructor(
    readonly reason: FetchFailureReason,
    message: string,
    readonly retryAtMs?: number,
  ) {
    super(message === '' ? reason : message);
  }
}

/** Thrown when the person who calls must log in at an upstream first; nothing was sent to it. */
export class LoginNeeded extends EgressFailure {
  constructor(readonly login: LoginWanted) {
    super('no_credential', `You are not logged in at ${login.title}.`);
  }
}

/** What a request without an answer is told as. */
export function egressFailureOf({
  reason,
  message,
  retryAtMs,
  login,
}: Extract<FetchedFrame, { t: 'fetch-failed' }>): EgressFailure {
  return login === undefined ? new EgressFailure(reason, message, retryAtMs) : new LoginNeeded(login);
}

/** Statuses whose answers have no body (Fetch, 2.2.3). */
const BODILESS = new Set([204, 205, 304]);

/** One request's answer as a `Response` of the Fetch standard, put together from frames. */
export class StreamedAnswer {
  readonly response: Promise<Response>;
  readonly #answer: (response: Response) => void;
  readonly #refuse: (error: unknown) => void;
  #body: ReadableStreamDefaultController<Uint8Array> | undefined;

  /** `onCancel` hears that nobody reads the rest. */
  constructor(private readonly onCancel: () => void) {
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    this.response = promise;
    this.#answer = resolve;
    this.#refuse = reject;
  }

  /** Takes a frame; true when it was the last. */
  receive(frame: FetchedFrame, payload: Buffer): boolean {
    if (frame.t === 'fetch-began') this.#begin(frame);
    else if (frame.t === 'fetch-data') this.#body?.enqueue(payload);
    else if (frame.t === 'fetched') this.#end(frame, payload);
    else this.fail(egressFailureOf(frame));
    return frame.t === 'fetched' || frame.t === 'fetch-failed';
  }

  /** Ends it with an error. */
  fail(error: unknown): void {
    this.#refuse(error); // of no effect where it has begun
    const body = this.#body;
    this.#body = undefined;
    body?.error(error);
  }

  #begin({ status, headers }: Extract<FetchedFrame, { t: 'fetch-began' }>): void {
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#body = controller;
      },
      cancel: () => {
        this.#body = undefined;
        this.onCancel();
      },
    });
    this.#answer(new Response(stream, { status, headers }));
  }

  #end({ status, headers }: Extract<FetchedFrame, { t: 'fetched' }>, payload: Buffer): void {
    const body = this.#body;
    this.#body = undefined;
    if (body !== undefined) body.close();
    else if (status < 200 || status > 599) this.#refuse(new EgressFailure('invalid_response', `status ${status}`));
    else this.#answer(new Response(BODILESS.has(status) ? null : new Uint8Array(payload), { status, headers }));
  }
}
