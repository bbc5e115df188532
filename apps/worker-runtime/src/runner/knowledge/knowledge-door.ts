import { AppError } from '#libs/errors';
import type { AskSubject, KnowledgeAnswers, KnowledgeQuestion, ToRunnerFrame } from '#libs/protocol';
import type { RunnerPipe } from '../pipe.js';

/** For which exchange, and about which server's documents, something is asked. */
export interface Asker {
  readonly s: number;
  readonly serverSlug: string;
  readonly signal: AbortSignal;
}

interface Waiting {
  readonly resolve: (answer: Buffer) => void;
  readonly reject: (error: AppError) => void;
}

/** The runner's only way to documents and kept results: questions are frames, and who made the call answers them. */
export class KnowledgeDoor {
  readonly #pipe: Pick<RunnerPipe, 'send'>;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  constructor(pipe: Pick<RunnerPipe, 'send'>) {
    this.#pipe = pipe;
  }

  /** Asks, until it is answered or its call is over. @throws AppError as it is answered */
  async ask<Kind extends KnowledgeQuestion['ask']>(
    asker: Asker,
    question: Extract<KnowledgeQuestion, { ask: Kind }>,
  ): Promise<KnowledgeAnswers[Kind]> {
    const answer = await this.pass(asker, Buffer.from(JSON.stringify(question)));
    return JSON.parse(answer.toString('utf8')) as KnowledgeAnswers[Kind]; // by the desk, which answers each question so
  }

  /** Hands an answer to the question that waits for it. */
  settle({ a, failure }: Extract<ToRunnerFrame, { t: 'answer' }>, answer: Buffer): void {
    const waiting = this.#waiting.get(a);
    this.#waiting.delete(a);
    if (failure === undefined) waiting?.resolve(answer);
    else {
      const { code, ...rest } = failure;
      waiting?.reject(new AppError(code, rest));
    }
  }

  /** As `ask`, with a question and an answer in bytes. @throws AppError as it is answered */
  pass({ s, serverSlug, signal }: Asker, question: Buffer, about?: AskSubject): Promise<Buffer> {
    const a = ++this.#last;
    return new Promise<Buffer>((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.delete(a);
        reject(new AppError('deadline_exceeded'));
      };
      if (signal.aborted) return leave();
      signal.addEventListener('abort', leave, { once: true });
      const heard = (): void => signal.removeEventListener('abort', leave);
      this.#waiting.set(a, {
        resolve: (answer) => {
          heard();
          resolve(answer);
        },
        reject: (error) => {
          heard();
          reject(error);
        },
      });
      this.#pipe.send({ t: 'ask', s, a, serverSlug, ...(about === undefined ? {} : { about }) }, question);
    });
  }
}
