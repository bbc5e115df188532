import type { Database } from '#libs/database';
import { deleteClosedJobs } from '#libs/jobs';
import type { Logger } from '#libs/telemetry';

const KEEP_DAYS = 7;
const BATCH = 1_000;
const BATCHES_MAX = 100;
const EVERY_MS = 60 * 60 * 1_000;

/** Deletes what is kept for a time only: closed jobs after seven days. */
export class Retention {
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(
    private readonly database: Database,
    private readonly logger: Logger,
  ) {}

  /** Sweeps now and every hour. */
  start(): void {
    this.#begin();
    this.#timer = setInterval(() => this.#begin(), EVERY_MS);
    this.#timer.unref();
  }

  /** Deletes what is due in batches of a thousand, each in its own transaction; returns how many. */
  async sweep(): Promise<number> {
    let deleted = 0;
    for (let batch = 0; batch < BATCHES_MAX && !this.#stopped; batch += 1) {
      const count = await this.database.asService((tx) => deleteClosedJobs(tx, KEEP_DAYS, BATCH));
      deleted += count;
      if (count < BATCH) break;
    }
    return deleted;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#sweeping;
  }

  #begin(): void {
    this.#sweeping = this.#sweeping
      .then(() => this.sweep())
      .then((deleted) => {
        if (deleted > 0) this.logger.info({ deleted }, 'closed jobs deleted');
      })
      .catch((error: unknown) => this.logger.warn({ err: error }, 'closed jobs could not be deleted'));
  }
}
