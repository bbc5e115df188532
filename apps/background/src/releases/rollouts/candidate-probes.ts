import type { Transaction } from '#libs/database';
import { enqueueAll, runProbesJob } from '#libs/jobs';
import { probeFigures, type ProbeFigures } from '#libs/probes';
import type { Rollout } from '#libs/rollouts';
import type { ProbeFindings } from '../verdict/probes.js';

/** How often probes run during a rollout; sooner after one failed, for a single failure says little. */
const EVERY_SECONDS = 30;
const AGAIN_SECONDS = 1;
const FAILURES_MIN = 2;
/** How often the stable release must have given one and the same answer, and the candidate another one in a row. */
const STABLE_RUNS_MIN = 3;
const CHANGED_RUNS_MIN = 2;

/** What a server's probes said of both releases since the step began; undefined where the server has none. */
export async function findProbeFindings(tx: Transaction, rollout: Rollout): Promise<ProbeFindings | undefined> {
  const { tenantId, serverId, stepStartedAt: since } = rollout;
  const [row]: Array<{ enabled: Record<string, string> | null; readOnlyTools: string[] }> = await tx.query(
    `select (select json_object_agg(id, name) from probes where tenant_id = $1 and server_id = $2 and enabled) as enabled,
       read_only_tools as "readOnlyTools" from rollouts where tenant_id = $1 and id = $3`,
    [tenantId, serverId, rollout.id],
  );
  if (row === undefined || row.enabled === null) return undefined;
  const enabled = new Map(Object.entries(row.enabled));
  const figuresOf = async (releaseId: string): Promise<ProbeFigures[]> =>
    (await probeFigures(tx, tenantId, { releaseId, since })).filter(({ probeId }) => enabled.has(probeId));
  const candidate = await figuresOf(rollout.candidateReleaseId);
  const stable = await figuresOf(rollout.stableReleaseId);
  const passing = new Map(stable.filter(({ lastPassed }) => lastPassed).map((one) => [one.probeId, one]));
  const different = candidate.filter((one) => isDifferent(one, passing.get(one.probeId)));
  const open = different.filter(({ probeId }) => !rollout.acceptedProbes.includes(probeId));
  const of = (wanted: Difference) => open.filter((one) => differenceOf(one, passing.get(one.probeId)) === wanted);
  return {
    enabled: enabled.size,
    passed: candidate.filter(({ lastPassed }) => lastPassed).length,
    failed: candidate
      .filter((one) => !one.lastPassed && one.failures >= FAILURES_MIN && passing.has(one.probeId))
      .map(({ name, lastReason }) => ({ probe: name, reason: lastReason ?? 'no answer' })),
    different: different.map(({ name }) => name),
    changed: of('changed').map(({ probeId: id, name: probe, tool }) => ({
      id,
      probe,
      readsOnly: row.readOnlyTools.includes(tool),
    })),
    unsettled: of('unsettled').map(({ name }) => name),
    unknown: unknownOf(enabled, candidate, stable),
  };
}

/** The names of probes that have not run on both releases yet, or failed once where the stable release passes. */
function unknownOf(
  enabled: ReadonlyMap<string, string>,
  candidate: readonly ProbeFigures[],
  stable: readonly ProbeFigures[],
): string[] {
  const theirs = new Map(stable.map((one) => [one.probeId, one]));
  const known = candidate.filter(({ probeId, lastPassed, failures }) => {
    const ran = theirs.get(probeId);
    return ran !== undefined && (lastPassed || failures >= FAILURES_MIN || !ran.lastPassed);
  });
  const ids = new Set(known.map(({ probeId }) => probeId));
  return [...enabled].filter(([id]) => !ids.has(id)).map(([, name]) => name);
}

/** What another answer of a probe comes to; an answer that the stable release does not repeat itself is `volatile`. */
type Difference = 'changed' | 'unsettled' | 'volatile';

function differenceOf(mine: ProbeFigures, theirs: ProbeFigures | undefined): Difference {
  if (theirs === undefined || theirs.answers > 1) return 'volatile';
  const passed = ({ runs, failures }: ProbeFigures): number => runs - failures;
  const known = passed(theirs) >= STABLE_RUNS_MIN && passed(mine) >= CHANGED_RUNS_MIN;
  return known && mine.digestBefore !== theirs.lastDigest ? 'changed' : 'unsettled';
}

function isDifferent(mine: ProbeFigures, theirs: ProbeFigures | undefined): boolean {
  return theirs !== undefined && mine.lastPassed && mine.lastDigest !== theirs.lastDigest;
}

/**
 * Asks for a run of the server's probes on both releases, where none is under way and the last is long enough ago: sooner
 * where one failed, or had an answer that is not known yet to be another one.
 */
export async function requestProbes(
  tx: Transaction,
  rollout: Rollout,
  probes: ProbeFindings | undefined,
): Promise<void> {
  if (probes === undefined) return;
  const { tenantId, serverId, candidateReleaseId, stableReleaseId } = rollout;
  const [row]: Array<{ due: boolean }> = await tx.query(
    `select not exists (select from outbox where tenant_id = $1 and name = $2 and completed_at is null
         and payload ->> 'releaseId' = any ($3::text[]))
       and coalesce((select now() - max(at) > make_interval(secs => case when bool_and(passed) then $4::float8 else $5 end)
         from probe_results where tenant_id = $1 and release_id = $6 and at >= $7 and job_id =
           (select job_id from probe_results where tenant_id = $1 and release_id = $6 order by id desc limit 1)), true)
       as due`,
    [
      tenantId,
      runProbesJob.name,
      [candidateReleaseId, stableReleaseId],
      probes.unsettled.length > 0 ? AGAIN_SECONDS : EVERY_SECONDS,
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
