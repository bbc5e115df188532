import { Rounds } from '#libs/resilience';

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
  readonly #rounds: Rounds;

  constructor(private readonly options: BatchSweepOptions) {
    const { everyMs, onSwept, onFailed } = options;
    const round = async (): Promise<void> => {
      const deleted = await this.sweep();
      if (deleted > 0) onSwept(deleted);
    };
    this.#rounds = new Rounds({ everyMs, round, onFailed });
  }

  start(): void {
    this.#rounds.start();
  }

  /** Sweeps once; returns how many rows were deleted, a hundred batches at most. */
  async sweep(): Promise<number> {
    let deleted = 0;
    for (let batch = 0; batch < BATCHES_MAX && !this.#rounds.signal.aborted; batch += 1) {
      const counts = [await this.options.deleteBatch(BATCH)].flat();
      const count = counts.reduce((sum, each) => sum + each, 0);
      deleted += count;
      if (count < BATCH) break;
    }
    return deleted;
  }

  /** Ends after the batch in hand. */
  async stop(): Promise<void> {
    await this.#rounds.stop();
  }
}
