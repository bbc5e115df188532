import { AppError } from '#libs/errors';
import type { PlacedCall } from '../sessions/place.js';
import type { ResultDesk } from './result-desk.js';

/** What came of a call's questions about kept results. */
export interface ClosedResults {
  readonly keptBytes: number;
  /** Why it could not read now, where it could not. */
  readonly refusal: AppError | undefined;
  /** Hears that the client has the answer, or has left. */
  readonly sent: () => void;
}

/** What one call asks about kept results. What it reads takes a turn until its worker has answered, and memory until its client has the answer. */
export class CallResults {
  #keptBytes = 0;
  #refusal: AppError | undefined;
  #closed = false;
  readonly #turns: Array<() => void> = [];

  constructor(
    private readonly desk: ResultDesk,
    private readonly call: PlacedCall,
  ) {}

  /** @throws AppError as `ResultDesk.answer` */
  async answer(serverSlug: string, asked: Buffer): Promise<Buffer> {
    const hearing = {
      kept: (bytes: number): void => void (this.#keptBytes += bytes),
      begun: (end: () => void): void => this.#hold(end),
    };
    return this.desk.answer(this.call, { serverSlug, asked }, hearing).catch((error: unknown) => {
      if (error instanceof AppError && error.code === 'rate_limited') this.#refusal = error;
      throw error;
    });
  }

  /** The worker has answered the call, with so many bytes. */
  close(answerBytes: number): ClosedResults {
    this.#closed = true;
    const read = this.#turns.length > 0;
    for (const end of this.#turns.splice(0)) end();
    const sent = read ? this.desk.unsent.add(this.call.tenant.tenantId, answerBytes) : () => undefined;
    return { keptBytes: this.#keptBytes, refusal: this.#refusal, sent };
  }

  #hold(end: () => void): void {
    if (this.#closed) end();
    else this.#turns.push(end);
  }
}
