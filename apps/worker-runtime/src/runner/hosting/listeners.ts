import type { Notification } from '@modelcontextprotocol/client';

/** A 2026-era client that listens to changes, on a stream of its own. */
export interface Listener {
  readonly uris: ReadonlySet<string>;
  readonly hear: (notification: Notification) => void;
}

const LISTENERS_MAX = 1_000;

/** Who listens to what the servers of a caller say outside of any call. */
export class Listeners {
  readonly #byCaller = new Map<string, Set<Listener>>();
  #count = 0;

  /** Notes a listener; false when there are too many. */
  add(caller: string, listener: Listener): boolean {
    if (this.#count >= LISTENERS_MAX) return false;
    this.#count += 1;
    const own = this.#byCaller.get(caller) ?? new Set();
    this.#byCaller.set(caller, own.add(listener));
    return true;
  }

  /** Forgets a listener; returns the resources that nobody of its caller's listens to any more. */
  remove(caller: string, listener: Listener): string[] {
    const own = this.#byCaller.get(caller);
    if (own?.delete(listener) !== true) return [];
    this.#count -= 1;
    if (own.size === 0) this.#byCaller.delete(caller);
    return [...listener.uris].filter((uri) => ![...own].some(({ uris }) => uris.has(uri)));
  }

  /** Passes on what a server said; what each listener did not ask for, the SDK keeps from it. */
  tell(caller: string, notification: Notification): void {
    for (const { hear } of this.#byCaller.get(caller) ?? []) hear(notification);
  }
}
