import type { Progress } from '@modelcontextprotocol/client';

const PER_SECOND_MAX = 50;
const SECOND_MS = 1_000;

/**
 * Passes a server's progress on, no more than a caller can use: of what comes faster, the newest, a second later or with
 * the answer.
 */
export class ProgressPace {
  #sinceMs = 0;
  #count = 0;
  #kept: Progress | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly hear: (progress: Progress) => void) {}

  /** Takes what a server says; it is heard now or later, or something newer in its place. */
  take(progress: Progress, nowMs = Date.now()): void {
    if (nowMs - this.#sinceMs >= SECOND_MS) [this.#sinceMs, this.#count] = [nowMs, 0];
    this.#count += 1;
    if (this.#count <= PER_SECOND_MAX) {
      this.#kept = undefined;
      this.hear(progress);
      return;
    }
    this.#kept = progress;
    this.#timer ??= setTimeout(() => this.#flush(), SECOND_MS).unref();
  }

  /** The answer is there: what is kept is heard before it. */
  end(): void {
    clearTimeout(this.#timer);
    this.#flush();
  }

  #flush(): void {
    this.#timer = undefined;
    const kept = this.#kept;
    this.#kept = undefined;
    if (kept !== undefined) this.hear(kept);
  }
}
