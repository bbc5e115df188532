import type { Envelope } from '#libs/protocol';

/** Whether this runtime takes new work, as an operator says; a runtime that starts again takes it. */
export class DrainSwitch {
  readonly #listeners = new Set<() => void>();
  #draining = false;
  #endsAtMs: number | undefined;

  get draining(): boolean {
    return this.#draining;
  }

  /** When what still goes on is ended, in epoch milliseconds; undefined where it may go on for as long as it likes. */
  get endsAtMs(): number | undefined {
    return this.#endsAtMs;
  }

  /** Whether a session ends here and now (404, MCP 2025-11-25, session management): its worker has ended, or would be kept from resting by a stream alone. */
  movesAway({ sessionId, operation }: Envelope, worker: object | undefined): boolean {
    if (sessionId === undefined || this.#endsAtMs === undefined) return false;
    return worker === undefined || operation === 'listen';
  }

  /** Sets it, with how long what goes on may take, and tells everybody who listens, where it is new. */
  set(draining: boolean, withinMs?: number): void {
    this.#endsAtMs = draining && withinMs !== undefined ? Date.now() + withinMs : undefined;
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
