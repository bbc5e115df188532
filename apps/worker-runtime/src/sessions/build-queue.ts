import { AppError } from '#libs/errors';

/** How many builds there may be. */
export interface BuildQueueOptions {
  /** Running at once, in all. */
  readonly runningMax: number;
  /** Running and waiting, for one tenant. */
  readonly tenantMax: number;
  /** Waiting, in all. */
  readonly waitingMax: number;
}

interface Waiting {
  readonly tenantId: string;
  readonly begin: () => void;
}

/**
 * Builds take turns by tenant: of those that wait, a tenant with the fewest running goes first, so that one tenant's
 * documents delay another's by their share and no more.
 */
export class BuildQueue {
  readonly #running = new Map<string, number>();
  #waiting: Waiting[] = [];

  constructor(private readonly options: BuildQueueOptions) {}

  /**
   * Calls `begin` when it is the tenant's turn; returns how to end the turn, or to give up waiting for it.
   * @throws AppError unavailable when too many wait
   */
  enter(tenantId: string, begin: () => void): () => void {
    const own = this.#runningOf(tenantId) + this.#waiting.filter((waiting) => waiting.tenantId === tenantId).length;
    if (own >= this.options.tenantMax || this.#waiting.length >= this.options.waitingMax) {
      throw new AppError('unavailable', {
        message: 'Too many releases are being built. Try again shortly.',
        retryAfterSeconds: 5,
      });
    }
    const waiting: Waiting = { tenantId, begin };
    this.#waiting.push(waiting);
    this.#beginNext();
    let left = false;
    return () => {
      if (left) return;
      left = true;
      if (this.#waiting.includes(waiting)) this.#waiting = this.#waiting.filter((other) => other !== waiting);
      else this.#end(tenantId);
    };
  }

  #end(tenantId: string): void {
    const running = this.#runningOf(tenantId) - 1;
    if (running > 0) this.#running.set(tenantId, running);
    else this.#running.delete(tenantId);
    this.#beginNext();
  }

  #beginNext(): void {
    const running = [...this.#running.values()].reduce((sum, count) => sum + count, 0);
    if (running >= this.options.runningMax) return;
    const [next] = this.#waiting.toSorted(
      (left, right) => this.#runningOf(left.tenantId) - this.#runningOf(right.tenantId),
    );
    if (next === undefined) return;
    this.#waiting = this.#waiting.filter((other) => other !== next);
    this.#running.set(next.tenantId, this.#runningOf(next.tenantId) + 1);
    next.begin();
  }

  #runningOf(tenantId: string): number {
    return this.#running.get(tenantId) ?? 0;
  }
}
