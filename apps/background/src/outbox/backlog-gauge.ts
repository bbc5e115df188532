import type { Database } from '#libs/database';
import { outboxBacklog } from '#libs/jobs';
import { meter } from '#libs/telemetry';

/** Shows how many jobs are open and how long the oldest has waited, read when metrics are collected. Returns its end. */
export function showBacklog(database: Database): () => void {
  const open = meter('background').createObservableGauge('wharf_outbox_open', { description: 'Jobs not finished.' });
  const oldest = meter('background').createObservableGauge('wharf_outbox_oldest_seconds', {
    description: 'Age of the oldest job that is not finished.',
    unit: 's',
  });
  const read: Parameters<ReturnType<typeof meter>['addBatchObservableCallback']>[0] = async (result) => {
    const backlogs = await database.everywhere(outboxBacklog);
    result.observe(
      open,
      backlogs.reduce((sum, backlog) => sum + backlog.open, 0),
    );
    result.observe(oldest, Math.max(...backlogs.map((backlog) => backlog.oldestSeconds)));
  };
  meter('background').addBatchObservableCallback(read, [open, oldest]);
  return () => meter('background').removeBatchObservableCallback(read, [open, oldest]);
}
