import { LOGINS_SINCE, NO_PERSON, type PersonTokens, type RuntimeFrame, type TokenAnswer } from '#libs/protocol';

interface Asked {
  readonly s: number;
  readonly answer: (answer: TokenAnswer) => void;
}

const ANSWER_MS = 30_000;
const ASKS_MAX = 10_000;
const SILENT: TokenAnswer = {
  kind: 'failed',
  message: 'The login there could not be looked up in time. Try again shortly.',
};

/** Tokens that exchanges of one connection have asked their callers for; an ask ends with its exchange. */
export class TokenDesk {
  readonly #send: (frame: RuntimeFrame) => void;
  readonly #caller: { readonly version: number };
  readonly #asked = new Map<number, Asked>();
  #last = 0;

  /** `version`: of the protocol that the caller has chosen. */
  constructor(caller: { readonly version: number }, send: (frame: RuntimeFrame) => void) {
    this.#caller = caller;
    this.#send = send;
  }

  /** How an exchange asks for tokens of whoever made it. */
  tokensOf(s: number): PersonTokens {
    return (ask) => {
      if (this.#caller.version < LOGINS_SINCE) return NO_PERSON(ask);
      if (this.#asked.size >= ASKS_MAX) return Promise.resolve(SILENT);
      const a = ++this.#last;
      return new Promise((resolve) => {
        const timer = setTimeout(() => this.#settle(a, SILENT), ANSWER_MS).unref();
        this.#asked.set(a, {
          s,
          answer: (answer) => {
            clearTimeout(timer);
            resolve(answer);
          },
        });
        this.#send({ t: 'token', s, a, ask });
      });
    };
  }

  /** Takes an answer; one that is for another exchange than asked is dropped. */
  answered(s: number, a: number, answer: TokenAnswer): void {
    if (this.#asked.get(a)?.s === s) this.#settle(a, answer);
  }

  /** Ends what an exchange asked for. */
  leave(s: number): void {
    if (this.#asked.size === 0) return;
    for (const [a, asked] of this.#asked) if (asked.s === s) this.#settle(a, SILENT);
  }

  #settle(a: number, answer: TokenAnswer): void {
    const asked = this.#asked.get(a);
    this.#asked.delete(a);
    asked?.answer(answer);
  }
}
