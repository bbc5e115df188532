import { BatchSweep, type Database } from '#libs/database';
import type { Logger } from '#libs/telemetry';

const EVERY_MS = 60 * 60 * 1_000;
/** Row-level security shows this service those alone who left thirty days ago: so long what happened to them waits for a log. */
const DELETE = `
delete from past_members where (tenant_id, account_id, left_at) in
  (select tenant_id, account_id, left_at from past_members
   where app_is_home(tenant_id) limit $1) returning 1`;

/** Forgets who was a member once, thirty days after they left, looked for every hour. */
export class PastMemberRetention extends BatchSweep {
  constructor(database: Database, logger: Logger) {
    super({
      everyMs: EVERY_MS,
      deleteBatch: (limit) =>
        database.everywhere(async (tx) => {
          const [deleted]: [unknown[], number] = await tx.query(DELETE, [limit]);
          return deleted.length;
        }),
      onSwept: (deleted) => logger.info({ deleted }, 'notes of past members deleted'),
      onFailed: (error) => logger.warn({ err: error }, 'notes of past members could not be deleted'),
    });
  }
}
