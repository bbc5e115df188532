import { claimObject, findDueObjects, forgetObject, type BlobStore, type DueObject } from '#libs/blobs';
import { BatchSweep, type Database } from '#libs/database';
import type { Logger } from '#libs/telemetry';

const EVERY_MS = 60 * 1_000;
/** After so many objects in a row the trouble is not theirs. */
const FAILED_IN_A_ROW_MAX = 10;

/**
 * Deletes objects of the object store that no row refers to: what was uploaded and never used, and what was deleted. An
 * object is claimed first, so that nothing can take it into use any more, then deleted there, then forgotten here. One that
 * cannot be deleted waits until all others were tried.
 */
export class ObjectSweeper extends BatchSweep {
  constructor(database: Database, blobs: BlobStore, logger: Logger, region?: string) {
    super({
      everyMs: EVERY_MS,
      deleteBatch: async (limit) => {
        if (!blobs.hasObjects) return 0;
        let deleted = 0;
        let failedInARow = 0;
        for (const object of (await database.everywhere((tx) => findDueObjects(tx, limit, region))).flat()) {
          if (failedInARow === FAILED_IN_A_ROW_MAX) break;
          try {
            await deleteDue(database, blobs, object);
            deleted += 1;
            failedInARow = 0;
          } catch (error) {
            // One object's trouble is not another's.
            failedInARow += 1;
            const { tenant_id, id } = object;
            logger.error({ err: error, tenant_id, object: id }, 'an unused object could not be deleted');
          }
        }
        return deleted;
      },
      onSwept: (deleted) => logger.info({ deleted }, 'unused objects deleted'),
      onFailed: (error) => logger.warn({ err: error }, 'unused objects could not be deleted'),
    });
  }
}

async function deleteDue(database: Database, blobs: BlobStore, object: DueObject): Promise<void> {
  const { tenant_id: tenantId, id, digest } = object;
  if (!(await database.asTenant(tenantId, (tx) => claimObject(tx, tenantId, id)))) return;
  await blobs.deleteObject(tenantId, digest, id);
  await database.asTenant(tenantId, (tx) => forgetObject(tx, tenantId, id));
}
