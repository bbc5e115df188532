import { meter } from '#libs/telemetry';
import type { AuditSpool } from './audit-spool.js';

/** Shows how much of the audit log waits on disk. */
export function showSpool(spool: AuditSpool): void {
  const gauge = meter('gateway').createObservableGauge('wharf_spool_entries', {
    description: 'Audit entries that have not reached the database, by whether their call has ended.',
  });
  gauge.addCallback((result) => {
    const { open, ended } = spool.waiting;
    result.observe(open, { state: 'open' });
    result.observe(ended, { state: 'ended' });
  });
}
