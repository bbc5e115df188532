import type { Envelope } from './messages.js';

/**
 * When a call is given up: at its deadline, or, while messages before the answer (progress) come, as long after each of
 * them as its sender waits at all, up to a cap that nothing moves.
 */
export class CallDeadline {
  readonly #progress: Envelope['progress'];
  #atMs: number;

  constructor({ deadlineMs, progress }: Pick<Envelope, 'deadlineMs' | 'progress'>) {
    this.#atMs = deadlineMs;
    this.#progress = progress;
  }

  /** Epoch milliseconds. */
  get atMs(): number {
    return this.#atMs;
  }

  /** The call has made progress. */
  extend(nowMs: number): void {
    if (this.#progress === undefined) return;
    const { waitMs, lastMs } = this.#progress;
    this.#atMs = Math.max(this.#atMs, Math.min(nowMs + waitMs, lastMs));
  }
}
