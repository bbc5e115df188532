import { AppError } from '#libs/errors';
import { DOCUMENTS_SINCE, type AskSubject, type CallerFrame, type RuntimeFrame } from '#libs/protocol';

interface Waiting {
  readonly s: number;
  readonly resolve: (answer: Buffer) => void;
  readonly reject: (error: AppError) => void;
}

/** Questions of one exchange that wait at once; a runner asks one after the other. */
const OPEN_MAX = 8;

/** What workers ask a caller about documents and kept results, each for a call of that caller, until it is answered or the call is over. */
export class DocumentAsks {
  readonly #send: (frame: RuntimeFrame, question: Buffer) => void;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  /** `caller` tells which version of the protocol is spoken. */
  constructor(
    private readonly caller: { readonly version: number },
    send: (frame: RuntimeFrame, question: Buffer) => void,
  ) {
    this.#send = send;
  }

  /** Asks the caller for one of its exchanges. @throws AppError as the caller answers, or `unavailable` */
  ask(
    s: number,
    { serverSlug, about }: { readonly serverSlug: string; readonly about: AskSubject | undefined },
    question: Buffer,
  ): Promise<Buffer> {
    const open = [...this.#waiting.values()].filter((waiting) => waiting.s === s).length;
    if (open >= OPEN_MAX || this.caller.version < DOCUMENTS_SINCE)
      return Promise.reject(new AppError('unavailable', { retryAfterSeconds: 1 }));
    const a = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(a, { s, resolve, reject });
      this.#send({ t: 'ask', s, a, serverSlug, ...(about === undefined ? {} : { about }) }, question);
    });
  }

  /** Takes an answer. */
  answered({ s, a, failure }: Extract<CallerFrame, { t: 'answer' }>, answer: Buffer): void {
    const waiting = this.#waiting.get(a);
    if (waiting?.s !== s) return;
    this.#waiting.delete(a);
    if (failure === undefined) waiting.resolve(answer);
    else {
      const { code, ...rest } = failure;
      waiting.reject(new AppError(code, rest));
    }
  }

  /** An exchange is over: nobody waits for what was asked for it. */
  end(s: number): void {
    for (const [a, waiting] of this.#waiting) {
      if (waiting.s !== s) continue;
      this.#waiting.delete(a);
      waiting.reject(new AppError('unavailable'));
    }
  }
}
