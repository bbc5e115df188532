import { BatchSweep, type Database } from '#libs/database';
import type { Logger } from '#libs/telemetry';
import { Grants } from './grants.js';

const EVERY_MS = 10 * 60 * 1_000;

/** Deletes expired grants, now and every ten minutes. */
export function grantSweep(database: Database, logger: Logger): BatchSweep {
  const grants = new Grants(database);
  return new BatchSweep({
    everyMs: EVERY_MS,
    deleteBatch: (limit) => grants.deleteExpired(limit),
    onSwept: (deleted) => logger.info({ deleted }, 'expired grants deleted'),
    onFailed: (error) => logger.warn({ err: error }, 'expired grants could not be deleted'),
  });
}
