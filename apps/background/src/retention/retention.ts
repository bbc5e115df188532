import { BatchSweep, type Database } from '#libs/database';
import { deleteClosedJobs } from '#libs/jobs';
import type { Logger } from '#libs/telemetry';

const KEEP_DAYS = 7;
const EVERY_MS = 60 * 60 * 1_000;

/** Deletes what is kept for a time only: closed jobs after seven days, looked for every hour. */
export class Retention extends BatchSweep {
  constructor(database: Database, logger: Logger) {
    super({
      everyMs: EVERY_MS,
      deleteBatch: (limit) => database.everywhere((tx) => deleteClosedJobs(tx, KEEP_DAYS, limit)),
      onSwept: (deleted) => logger.info({ deleted }, 'closed jobs deleted'),
      onFailed: (error) => logger.warn({ err: error }, 'closed jobs could not be deleted'),
    });
  }
}
