import { BatchSweep, type Database } from '#libs/database';
import type { Logger } from '#libs/telemetry';

const EVERY_MS = 10 * 60 * 1_000;

/** Deletes expired state, now and every ten minutes; instances side by side do not wait for each other. */
export function artifactSweep(database: Database, logger: Logger): BatchSweep {
  return new BatchSweep({
    everyMs: EVERY_MS,
    async deleteBatch(limit) {
      const [, count] = await database.asService((tx) =>
        tx.query(
          `delete from oauth_artifacts where (model, id_hash) in
             (select model, id_hash from oauth_artifacts where expires_at < now()
              order by expires_at limit $1 for update skip locked)`,
          [limit],
        ),
      );
      return count;
    },
    onSwept: (deleted) => logger.info({ deleted }, 'expired authorization state deleted'),
    onFailed: (error) => logger.warn({ err: error }, 'expired authorization state could not be deleted'),
  });
}
