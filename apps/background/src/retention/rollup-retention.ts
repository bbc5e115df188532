import { BatchSweep, type Database } from '#libs/database';
import type { Logger } from '#libs/telemetry';

const KEEP_DAYS = 30;
const EVERY_MS = 60 * 60 * 1_000;
const DELETE = `
delete from call_rollups where (tenant_id, minute, server, tool) in
  (select tenant_id, minute, server, tool from call_rollups where minute < now() - make_interval(days => $1)
     and app_is_home(tenant_id) and tenant_id not in (select tenant_id from legal_holds) limit $2)
returning 1`;

/** Deletes what calls added up to after thirty days, looked for every hour. */
export class RollupRetention extends BatchSweep {
  constructor(database: Database, logger: Logger) {
    super({
      everyMs: EVERY_MS,
      deleteBatch: (limit) =>
        database.everywhere(async (tx) => {
          const [rows]: [unknown[], number] = await tx.query(DELETE, [KEEP_DAYS, limit]);
          return rows.length;
        }),
      onSwept: (deleted) => logger.info({ deleted }, 'sums of calls deleted'),
      onFailed: (error) => logger.warn({ err: error }, 'sums of calls could not be deleted'),
    });
  }
}
