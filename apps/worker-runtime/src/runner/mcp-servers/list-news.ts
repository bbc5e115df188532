import type { RunnerPipe } from '../pipe.js';

const PER_SECOND_MAX = 100;
const SECOND_MS = 1_000;

/**
 * Tells, before anybody who listens hears of it, that a server's lists may have changed, so that whoever asks again is not
 * answered from before. A server that says so without end is told of once more when the second is over.
 */
export class ListNews {
  #inThisSecond = 0;
  readonly #late = new Set<string>();

  constructor(private readonly pipe: RunnerPipe) {}

  /** A server of this release may list something else now. */
  changed(digest: string): void {
    if (this.#inThisSecond === 0) setTimeout(() => this.#nextSecond(), SECOND_MS).unref();
    this.#inThisSecond += 1;
    if (this.#inThisSecond > PER_SECOND_MAX) this.#late.add(digest);
    else this.pipe.send({ t: 'lists-changed', digest });
  }

  #nextSecond(): void {
    this.#inThisSecond = 0;
    for (const digest of this.#late) this.pipe.send({ t: 'lists-changed', digest });
    this.#late.clear();
  }
}
