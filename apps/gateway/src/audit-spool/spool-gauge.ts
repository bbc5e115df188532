import { meter } from '#libs/telemetry';
import type { AuditSpool } from './audit-spool.js';

/** Shows how much of the audit log waits on disk. */
export function showSpool(spool: AuditSpool): void {
  const spoolMeter = meter('gateway');
  const gauge = spoolMeter.createObservableGauge('wharf_spool_entries', {
    description: 'Audit entries that have not reached the database, by whether their call has ended.',
  });
  gauge.addCallback((result) => {
    const { open, ended } = spool.waiting;
    result.observe(open, { state: 'open' });
    result.observe(ended, { state: 'ended' });
  });
  spoolMeter
    .createObservableGauge('wharf_spool_oldest_seconds', {
      description: 'How long the oldest audit entry of a call that ended has waited for the database.',
    })
    .addCallback((result) => result.observe(spool.oldestMs / 1_000));
  spoolMeter
    .createObservableGauge('wharf_spool_full_ratio', {
      description: 'How much of what may wait on disk does; at 1 calls are refused.',
    })
    .addCallback((result) => result.observe(spool.fullness));
}
