const FREE = 1;
const DELAY_MS_MAX = 30_000;
/** A caller whose last crash is this long ago starts afresh. */
const FORGET_MS = 60_000;

/** How long a server that crashes again and again is not started: after the first time, 1 s, 2 s, 4 s … 30 s. */
export class CrashDelay {
  readonly #crashes = new Map<string, { readonly count: number; readonly atMs: number; readonly untilMs: number }>();

  /** Notes a crash. */
  crashed(key: string, nowMs: number): void {
    const count = (this.#crashes.get(key)?.count ?? 0) + 1;
    const delayMs = count <= FREE ? 0 : Math.min(1_000 * 2 ** (count - FREE - 1), DELAY_MS_MAX);
    this.#crashes.set(key, { count, atMs: nowMs, untilMs: nowMs + delayMs });
  }

  /** Milliseconds until it may be started again; 0 when it may now. */
  waitMs(key: string, nowMs: number): number {
    return Math.max(0, (this.#crashes.get(key)?.untilMs ?? 0) - nowMs);
  }

  /** Forgets what is long ago. */
  forget(nowMs: number): void {
    for (const [key, { atMs }] of this.#crashes) if (nowMs - atMs > FORGET_MS) this.#crashes.delete(key);
  }
}
