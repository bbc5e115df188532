import type { Envelope } from '#libs/protocol';

/** A frame may be so long on its way: what looks like a clock that is so much behind ours is none. */
const CARRIED_MS_MAX = 2_000;

/** The clock that deadlines are set by: the runtime's, which may be another machine's where workers are pods. */
export class RuntimeClock {
  readonly #differsMs: number;

  /** @param saysMs what it said when it bound this worker, in epoch milliseconds */
  constructor(saysMs: number, nowMs = Date.now()) {
    const differsMs = nowMs - saysMs;
    this.#differsMs = differsMs >= 0 && differsMs <= CARRIED_MS_MAX ? 0 : differsMs;
  }

  /** When that is by our clock. */
  here(ms: number): number {
    return ms + this.#differsMs;
  }

  /** The same for how far progress moves a deadline. */
  progressHere(progress: Envelope['progress']): Envelope['progress'] {
    if (progress === undefined || this.#differsMs === 0) return progress;
    return { ...progress, lastMs: this.here(progress.lastMs) };
  }
}
