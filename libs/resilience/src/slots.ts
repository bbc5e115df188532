/** Counts what runs at once for each key; a key without anything running takes no memory. */
export class Slots {
  readonly #taken = new Map<string, number>();

  /** Takes a slot of `key` while fewer than `max` are taken; returns its release (safe to call twice), or undefined. */
  take(key: string, max: number): (() => void) | undefined {
    const taken = this.#taken.get(key) ?? 0;
    if (taken >= max) return undefined;
    this.#taken.set(key, taken + 1);
    let released = false;
    return () => {
      if (released) return;
      released = true;
      const left = (this.#taken.get(key) ?? 1) - 1;
      if (left === 0) this.#taken.delete(key);
      else this.#taken.set(key, left);
    };
  }

  /** How many slots of a key are taken. */
  taken(key: string): number {
    return this.#taken.get(key) ?? 0;
  }
}
