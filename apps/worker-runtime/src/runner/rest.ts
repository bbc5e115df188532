/** A worker to which nothing came for this long rests; found out within twice the time. */
const QUIET_MS = 2_000;

/**
 * Gives memory back when a worker rests. Loading modules and serving calls leave garbage that V8 keeps until it needs
 * the room, which in a resting worker is never: two fifths of its memory. Nothing is collected while frames come.
 */
export class Rest {
  #used = false;
  #timer: NodeJS.Timeout | undefined;

  /** Notes that something came. */
  noteUse(): void {
    this.#used = true;
    this.#timer ??= this.#watch();
  }

  #watch(): NodeJS.Timeout {
    return setTimeout(() => {
      this.#timer = undefined;
      if (!this.#used) {
        collectGarbage();
        return;
      }
      this.#used = false;
      this.#timer = this.#watch();
    }, QUIET_MS).unref();
  }
}

/** Collects now, where the process was started with `--expose-gc`, and hands what is free to the system: some 10 ms. */
export function collectGarbage(): void {
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
