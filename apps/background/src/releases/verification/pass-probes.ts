import type { Database } from '#libs/database';
import { JobRefused } from '../../jobs/job-handler.js';
import type { ProbeRunner } from '../../probes/probe-runner.js';
import { findProbes } from '../../probes/probe-runs.repository.js';
import type { ReleaseSubject } from '../../release-worker/ask-release.js';
import type { PublishRequest } from '../publishing.repository.js';

const SHOWN = 5;

/** Runs the tenant's own probes on a release that is to go live. @throws JobRefused naming those that failed, and why */
export async function passProbes(
  { database, probes }: { readonly database: Database; readonly probes: ProbeRunner },
  request: PublishRequest,
  subject: ReleaseSubject,
  signal: AbortSignal,
): Promise<void> {
  const { tenantId, serverId, releaseId, jobId } = request;
  const enabled = await database.asTenant(tenantId, (tx) => findProbes(tx, tenantId, { serverId }));
  const outcomes = await probes.run(enabled, subject, { tenantId, releaseId, jobId, cause: 'publish' }, signal);
  const failed = outcomes.filter(({ reason }) => reason !== undefined);
  if (failed.length === 0) return;
  const named = failed.slice(0, SHOWN).map(({ probe, reason }) => `${probe.name}: ${reason}.`);
  const rest = failed.length > SHOWN ? ` And ${failed.length - SHOWN} more.` : '';
  throw new JobRefused(
    `${failed.length} of ${outcomes.length} probes failed. ${named.join(' ')}${rest} ` +
      'Mend the release, or change what the probes expect, and publish again.',
  );
}
