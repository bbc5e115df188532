import { BatchSweep, type Database } from '#libs/database';
import type { Logger } from '#libs/telemetry';

const KEEP_MONTHS = 25;
const EVERY_MS = 60 * 60 * 1_000;
const DELETE = `
delete from usage_hours where (tenant_id, hour, server, tool, client) in
  (select tenant_id, hour, server, tool, client from usage_hours
   where hour < now() - make_interval(months => $1) and app_is_home(tenant_id)
     and tenant_id not in (select tenant_id from legal_holds) limit $2)
returning 1`;

/** Deletes hours of the usage ledger after twenty-five months, looked for every hour; its months stay. */
export class UsageRetention extends BatchSweep {
  constructor(database: Database, logger: Logger) {
    super({
      everyMs: EVERY_MS,
      deleteBatch: (limit) =>
        database.everywhere(async (tx) => {
          const [rows]: [unknown[], number] = await tx.query(DELETE, [KEEP_MONTHS, limit]);
          return rows.length;
        }),
      onSwept: (deleted) => logger.info({ deleted }, 'hours of usage deleted'),
      onFailed: (error) => logger.warn({ err: error }, 'hours of usage could not be deleted'),
    });
  }
}
