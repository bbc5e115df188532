import type { Database } from '#libs/database';
import { meter } from '#libs/telemetry';

const LATE = `
select coalesce(extract(epoch from now() - min(checkpoint_at)), 0)::float8 as late
from audit_trees where size > checkpoint_size`;
const OVERDUE = `
select coalesce(extract(epoch from now() - min(archive_due)), 0)::float8 as overdue
from audit_trees where checkpoint_size > archived and archive_due < now()`;
const KEY_AGE = `select coalesce(extract(epoch from now() - max(created_at)), 0)::float8 as age from audit_keys`;

/**
 * Shows how late the oldest checkpoint is, that is, since when a tenant's newest records are under none, how old the key
 * is that signs them, and how long the tenant has waited whose old records are to be archived next; read when metrics are
 * collected. Returns its end.
 */
export function showAuditState(database: Database): () => void {
  const late = meter('background').createObservableGauge('wharf_checkpoint_late_seconds', {
    description: 'Age of the last checkpoint of the tenant that has waited longest for its next one.',
    unit: 's',
  });
  const age = meter('background').createObservableGauge('wharf_checkpoint_key_age_seconds', {
    description: 'Age of the key that signs checkpoints.',
    unit: 's',
  });
  const overdue = meter('background').createObservableGauge('wharf_archives_overdue_seconds', {
    description: 'How long the tenant has waited that has waited longest for its old audit records to be archived.',
    unit: 's',
  });
  const read: Parameters<ReturnType<typeof meter>['addBatchObservableCallback']>[0] = async (result) => {
    const trees = await database.everywhere(async (tx) => {
      const [late]: Array<{ late: number }> = await tx.query(LATE);
      const [overdue]: Array<{ overdue: number }> = await tx.query(OVERDUE);
      return { late: late?.late ?? 0, overdue: overdue?.overdue ?? 0 };
    });
    const [key]: Array<{ age: number }> = await database.asService((tx) => tx.query(KEY_AGE));
    result.observe(late, Math.max(...trees.map((tree) => tree.late)));
    result.observe(age, key?.age ?? 0);
    result.observe(overdue, Math.max(...trees.map((tree) => tree.overdue)));
  };
  meter('background').addBatchObservableCallback(read, [late, age, overdue]);
  return () => meter('background').removeBatchObservableCallback(read, [late, age, overdue]);
}
