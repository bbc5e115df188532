import { BatchSweep, type Database } from '#libs/database';
import type { Logger } from '#libs/telemetry';

const KEEP_DAYS = 30;
const EVERY_MS = 60 * 60 * 1_000;

/** Deletes deliveries that were made or given up thirty days ago, looked for every hour. */
export class DeliveryRetention extends BatchSweep {
  constructor(database: Database, logger: Logger) {
    super({
      everyMs: EVERY_MS,
      deleteBatch: (limit) =>
        database.everywhere(async (tx) => {
          const [rows] = await tx.query(
            `delete from webhook_deliveries where (tenant_id, id) in
               (select tenant_id, id from webhook_deliveries
                where state <> 'pending' and created_at < now() - make_interval(days => $1) and app_is_home(tenant_id)
                  and tenant_id not in (select tenant_id from legal_holds) limit $2) returning id`,
            [KEEP_DAYS, limit],
          );
          return rows.length;
        }),
      onSwept: (deleted) => logger.info({ deleted }, 'webhook deliveries deleted'),
      onFailed: (error) => logger.warn({ err: error }, 'webhook deliveries could not be deleted'),
    });
  }
}
