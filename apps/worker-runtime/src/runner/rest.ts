/** A worker to which nothing came for this long rests; found out within twice the time. */
const QUIET_MS = 2_000;

/**
 * Gives memory back when a worker rests. Loading modules and serving calls leave garbage that V8 keeps until it needs
 * the room, which in a resting worker is never: two fifths of its memory. Nothing is collected while frames come.
 */
export class Rest {
  #used = false;
  #watching = false;

  /** Notes that something came. */
  noteUse(): void {
    this.#used = true;
    if (this.#watching) return;
    this.#watching = true;
    this.#watch();
  }

  #watch(): void {
    setTimeout(() => {
      if (this.#used) {
        this.#used = false;
        this.#watch();
      } else {
        this.#watching = false;
        collectGarbage();
      }
    }, QUIET_MS).unref();
  }
}

/** Collects now, where the process was started with `--expose-gc`, and hands what is free to the system: some 10 ms. */
export function collectGarbage(): void {
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
