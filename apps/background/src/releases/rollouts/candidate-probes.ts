import type { Transaction } from '#libs/database';
import { enqueueAll, runProbesJob } from '#libs/jobs';
import { probeFigures, type ProbeFigures } from '#libs/probes';
import type { Rollout } from '#libs/rollouts';
import type { ProbeFindings } from '../verdict/probes.js';

/** How often probes run during a rollout; sooner after one failed, for a single failure says little. */
const EVERY_SECONDS = 30;
const AGAIN_SECONDS = 1;
const FAILURES_MIN = 2;

/** What a server's probes said of both releases since the step began; undefined where the server has none. */
export async function findProbeFindings(tx: Transaction, rollout: Rollout): Promise<ProbeFindings | undefined> {
  const { tenantId, serverId, stepStartedAt: since } = rollout;
  const [row]: Array<{ enabled: number }> = await tx.query(
    `select count(*)::int as enabled from probes where tenant_id = $1 and server_id = $2 and enabled`,
    [tenantId, serverId],
  );
  const enabled = row?.enabled ?? 0;
  if (enabled === 0) return undefined;
  const candidate = await probeFigures(tx, tenantId, { releaseId: rollout.candidateReleaseId, since });
  const stable = await probeFigures(tx, tenantId, { releaseId: rollout.stableReleaseId, since });
  const passing = new Map(stable.filter(({ lastPassed }) => lastPassed).map((one) => [one.probeId, one]));
  return {
    enabled,
    passed: candidate.filter(({ lastPassed }) => lastPassed).length,
    failed: candidate
      .filter((one) => !one.lastPassed && one.failures >= FAILURES_MIN && passing.has(one.probeId))
      .map(({ name, lastReason }) => ({ probe: name, reason: lastReason ?? 'no answer' })),
    different: candidate.filter((one) => isDifferent(one, passing.get(one.probeId))).map(({ name }) => name),
  };
}

function isDifferent(mine: ProbeFigures, theirs: ProbeFigures | undefined): boolean {
  return theirs !== undefined && mine.lastPassed && mine.lastDigest !== theirs.lastDigest;
}

/** Asks for a run of the server's probes on both releases, where none is under way and the last is long enough ago. */
export async function requestProbes(tx: Transaction, rollout: Rollout): Promise<void> {
  const { tenantId, serverId, candidateReleaseId, stableReleaseId } = rollout;
  const [row]: Array<{ due: boolean }> = await tx.query(
    `select exists (select from probes where tenant_id = $1 and server_id = $2 and enabled)
       and not exists (select from outbox where tenant_id = $1 and name = $3 and completed_at is null
         and payload ->> 'releaseId' = any ($4::text[]))
       and coalesce((select now() - max(at) > make_interval(secs => case when bool_and(passed) then $5::float8 else $6 end)
         from probe_results where tenant_id = $1 and release_id = $7 and at >= $8 and job_id =
           (select job_id from probe_results where tenant_id = $1 and release_id = $7 order by id desc limit 1)), true)
       as due`,
    [
      tenantId,
      serverId,
      runProbesJob.name,
      [candidateReleaseId, stableReleaseId],
      EVERY_SECONDS,
      AGAIN_SECONDS,
      candidateReleaseId,
      rollout.stepStartedAt,
    ],
  );
  if (row?.due !== true) return;
  const payloads = [stableReleaseId, candidateReleaseId].map((releaseId) => ({
    tenantId,
    serverId,
    releaseId,
    cause: 'schedule' as const,
  }));
  await enqueueAll(tx, tenantId, runProbesJob, payloads);
}
