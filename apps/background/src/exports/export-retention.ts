import { BatchSweep, unlessAway, type Database } from '#libs/database';
import type { Logger } from '#libs/telemetry';
import { expireExport, findExpired } from './exports.repository.js';

const EVERY_MS = 60 * 60 * 1_000;

/** Deletes archives of tenants a week after they were made, looked for every hour. */
export class ExportRetention extends BatchSweep {
  constructor(database: Database, logger: Logger) {
    super({
      everyMs: EVERY_MS,
      deleteBatch: async (limit) => {
        const expired = (await database.everywhere((tx) => findExpired(tx, limit))).flat();
        for (const { tenant_id: tenantId, id } of expired)
          await unlessAway(database.asTenant(tenantId, (tx) => expireExport(tx, tenantId, id)));
        return expired.length;
      },
      onSwept: (deleted) => logger.info({ deleted }, 'archives of tenants deleted'),
      onFailed: (error) => logger.warn({ err: error }, 'archives of tenants could not be deleted'),
    });
  }
}
