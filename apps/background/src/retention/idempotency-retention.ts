import { BatchSweep, type Database } from '#libs/database';
import type { Logger } from '#libs/telemetry';

const EVERY_MS = 60 * 60 * 1_000;
const DELETE_OF_TENANTS = `
delete from idempotency_keys where (tenant_id, key_hash) in
  (select tenant_id, key_hash from idempotency_keys where expires_at < now() and app_is_home(tenant_id) limit $1) returning 1`;
const DELETE_OF_PLATFORM = `
delete from platform_idempotency_keys where key_hash in
  (select key_hash from platform_idempotency_keys where expires_at < now() limit $1) returning 1`;

/** Deletes answers that were kept for repeated requests, once their day is over, looked for every hour. */
export class IdempotencyRetention extends BatchSweep {
  constructor(database: Database, logger: Logger) {
    super({
      everyMs: EVERY_MS,
      deleteBatch: (limit) =>
        database.everywhere(async (tx) => {
          const [ofTenants]: [unknown[], number] = await tx.query(DELETE_OF_TENANTS, [limit]);
          const [ofPlatform]: [unknown[], number] = await tx.query(DELETE_OF_PLATFORM, [limit]);
          return ofTenants.length + ofPlatform.length;
        }),
      onSwept: (deleted) => logger.info({ deleted }, 'answers to named requests deleted'),
      onFailed: (error) => logger.warn({ err: error }, 'answers to named requests could not be deleted'),
    });
  }
}
