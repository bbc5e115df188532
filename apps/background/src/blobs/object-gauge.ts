import { secondsSinceOldestDue } from '#libs/blobs';
import type { Database } from '#libs/database';
import { meter } from '#libs/telemetry';

/** Shows how long the oldest unused object has been waiting to be deleted, read when metrics are collected. Returns its end. */
export function showUnusedObjects(database: Database): () => void {
  const oldest = meter('background').createObservableGauge('wharf_unused_objects_oldest_seconds', {
    description: 'How long the unused object has been due that has waited longest to be deleted.',
    unit: 's',
  });
  const read: Parameters<typeof oldest.addCallback>[0] = async (result) => {
    result.observe(Math.max(...(await database.everywhere(secondsSinceOldestDue))));
  };
  oldest.addCallback(read);
  return () => oldest.removeCallback(read);
}
