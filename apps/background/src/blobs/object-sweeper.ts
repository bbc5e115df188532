import { claimObject, findDueObjects, forgetObject, type BlobStore } from '#libs/blobs';
import { BatchSweep, type Database } from '#libs/database';
import type { Logger } from '#libs/telemetry';

const EVERY_MS = 60 * 1_000;

/**
 * Deletes objects of the object store that no row refers to: what was uploaded and never used, and what was deleted. An
 * object is claimed first, so that nothing can take it into use any more, then deleted there, then forgotten here.
 */
export class ObjectSweeper extends BatchSweep {
  constructor(database: Database, blobs: BlobStore, logger: Logger) {
    super({
      everyMs: EVERY_MS,
      deleteBatch: async (limit) => {
        if (!blobs.hasObjects) return 0;
        const due = await database.asService((tx) => findDueObjects(tx, limit));
        for (const { tenant_id: tenantId, id, digest } of due) {
          if (!(await database.asTenant(tenantId, (tx) => claimObject(tx, tenantId, id)))) continue;
          await blobs.deleteObject(tenantId, digest, id);
          await database.asTenant(tenantId, (tx) => forgetObject(tx, tenantId, id));
        }
        return due.length;
      },
      onSwept: (deleted) => logger.info({ deleted }, 'unused objects deleted'),
      onFailed: (error) => logger.warn({ err: error }, 'unused objects could not be deleted'),
    });
  }
}
