const BATCH = 1_000;
const BATCHES_MAX = 100;

/** What a sweep deletes, how often, and who hears of it. */
export interface BatchSweepOptions {
  readonly everyMs: number;
  /** Deletes at most `limit` rows of each database in a transaction of its own; returns how many, as one number or several. */
  readonly deleteBatch: (limit: number) => Promise<number | readonly number[]>;
  readonly onSwept: (deleted: number) => void;
  readonly onFailed: (error: unknown) => void;
}

/** Deletes what is due in batches of a thousand, now and again; no batch holds locks for long. */
export class BatchSweep {
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(private readonly options: BatchSweepOptions) {}

  start(): void {
    this.#begin();
    this.#timer = setInterval(() => this.#begin(), this.options.everyMs);
    this.#timer.unref();
  }

  /** Sweeps once; returns how many rows were deleted, a hundred batches at most. */
  async sweep(): Promise<number> {
    let deleted = 0;
    for (let batch = 0; batch < BATCHES_MAX && !this.#stopped; batch += 1) {
      const counts = [await this.options.deleteBatch(BATCH)].flat();
      const count = counts.reduce((sum, each) => sum + each, 0);
      deleted += count;
      if (count < BATCH) break;
    }
    return deleted;
  }

  /** Ends after the batch in hand. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#sweeping;
  }

  #begin(): void {
    const { onSwept, onFailed } = this.options;
    this.#sweeping = this.#sweeping
      .then(() => this.sweep())
      .then((deleted) => {
        if (deleted > 0) onSwept(deleted);
      })
      .catch(onFailed);
  }
}
