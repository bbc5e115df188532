/** Whether this runtime takes new work, as an operator says; a runtime that starts again takes it. */
export class DrainSwitch {
  readonly #listeners = new Set<() => void>();
  #draining = false;

  get draining(): boolean {
    return this.#draining;
  }

  /** Sets it and tells everybody who listens, where it is new. */
  set(draining: boolean): void {
    if (this.#draining === draining) return;
    this.#draining = draining;
    for (const listener of this.#listeners) listener();
  }

  /** Calls `listener` at every change; returns how to end that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
