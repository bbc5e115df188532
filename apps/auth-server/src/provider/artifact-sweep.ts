import type { Database } from '#libs/database';
import type { Logger } from '#libs/telemetry';

const BATCH = 1_000;
const BATCHES_MAX = 100;
const EVERY_MS = 10 * 60 * 1_000;

/** Deletes expired state in batches, now and every ten minutes; instances side by side do not wait for each other. */
export class ArtifactSweep {
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(
    private readonly database: Database,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.#begin();
    this.#timer = setInterval(() => this.#begin(), EVERY_MS);
    this.#timer.unref();
  }

  /** Deletes what has expired; returns how many rows. */
  async sweep(): Promise<number> {
    let deleted = 0;
    for (let batch = 0; batch < BATCHES_MAX && !this.#stopped; batch += 1) {
      const count = await this.#deleteBatch();
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

  async #deleteBatch(): Promise<number> {
    const [, count] = await this.database.asService((tx) =>
      tx.query(
        `delete from oauth_artifacts where (model, id_hash) in
           (select model, id_hash from oauth_artifacts where expires_at < now()
            order by expires_at limit $1 for update skip locked)`,
        [BATCH],
      ),
    );
    return count;
  }

  #begin(): void {
    this.#sweeping = this.#sweeping
      .then(() => this.sweep())
      .then((deleted) => {
        if (deleted > 0) this.logger.info({ deleted }, 'expired authorization state deleted');
      })
      .catch((error: unknown) => this.logger.warn({ err: error }, 'expired authorization state could not be deleted'));
  }
}
