/** Frames between two sweeps that no exchange waits for; honest ones cross a cancel now and then. */
const STRAY_FRAMES_MAX = 1_000;

/** Counts what a worker says to nobody: one that does so without end is ended. */
export class StrayFrames {
  #noted = 0;

  constructor(private readonly onTooMany: () => void) {}

  note(): void {
    this.#noted += 1;
    if (this.#noted === STRAY_FRAMES_MAX + 1) this.onTooMany(); // what was read with that one is still to come
  }

  /** A sweep has passed. */
  forget(): void {
    this.#noted = 0;
  }
}
