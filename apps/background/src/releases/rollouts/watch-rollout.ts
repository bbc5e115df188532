import type { z } from 'zod';
import type { ChangeAnnouncer } from '#libs/changes';
import type { Database, Transaction } from '#libs/database';
import { succeed, watchRolloutJob } from '#libs/jobs';
import {
  CONTROLLER,
  isOpen,
  lockRollout,
  pauseRollout,
  readSamples,
  rollBackRollout,
  findHold,
  findRollout,
  type Rollout,
} from '#libs/rollouts';
import type { JobHandler, JobRun } from '../../jobs/job-handler.js';
import { judge, type Verdict } from '../verdict/judge.js';
import type { ProbeFindings } from '../verdict/probes.js';
import { advance } from './advance.js';
import { findProbeFindings, requestProbes } from './candidate-probes.js';
import { saveVerdict } from './candidate.repository.js';
import { drain } from './drain.js';
import type { KeepWarm } from './keep-warm.js';

type Payload = z.infer<typeof watchRolloutJob.payload>;

/** How soon a rollout is looked at again. */
const AGAIN_MS = 1_000;
/** How soon one that is paused is. */
const PAUSED_MS = 5_000;

/**
 * Looks at an open rollout once and moves it where its verdict says; then leaves a job for the next look behind, in the
 * same transaction. Nothing of a rollout is in memory: whichever process runs the next job goes on where this one ended.
 */
export class WatchRollout implements JobHandler<Payload> {
  readonly definition = watchRolloutJob;

  constructor(
    private readonly database: Database,
    private readonly announcer: Pick<ChangeAnnouncer, 'announce'>,
    private readonly warm: KeepWarm,
  ) {}

  async run({ tenantId, rolloutId }: Payload, run: JobRun): Promise<void> {
    const seen = await this.database.asTenant(tenantId, (tx) => findRollout(tx, tenantId, rolloutId));
    if (seen === undefined || !isOpen(seen.state)) return;
    if (seen.state === 'draining') await this.warm.keep(seen, run.signal);
    const moved = await this.database.asTenant(tenantId, async (tx) => {
      const rollout = await lockRollout(tx, tenantId, rolloutId);
      if (rollout === undefined || !isOpen(rollout.state)) return true;
      const movement = await step(tx, rollout);
      if (movement === 'ended') return true;
      const delayMs = rollout.state === 'paused' ? PAUSED_MS : AGAIN_MS;
      await succeed(tx, run.jobId, watchRolloutJob, { tenantId, payload: { tenantId, rolloutId }, delayMs });
      return movement === 'moved';
    });
    if (moved) await this.announcer.announce(tenantId);
  }

  /** A rollout that nobody watches must not go on: its candidate is taken away. */
  async giveUp({ tenantId, rolloutId }: Payload, _run: JobRun, reason: string): Promise<void> {
    await this.database.asTenant(tenantId, async (tx) => {
      const rollout = await lockRollout(tx, tenantId, rolloutId);
      if (rollout === undefined || !isOpen(rollout.state)) return;
      await rollBackRollout(tx, rollout, { actor: CONTROLLER, reason: `It could not be watched any more: ${reason}` });
    });
    await this.announcer.announce(tenantId);
  }
}

/** What a look came to: the rollout is over, is elsewhere, or stays where it is. */
type Movement = 'ended' | 'moved' | 'stays';

async function step(tx: Transaction, rollout: Rollout): Promise<Movement> {
  const samples = await readSamples(tx, rollout.tenantId, rollout.id);
  const probes = await findProbeFindings(tx, rollout);
  const verdict: Verdict = judge(rollout, samples, probes);
  if (verdict.decision === 'bad') {
    await rollBackRollout(tx, rollout, { actor: CONTROLLER, reason: verdict.reason, verdict });
    return 'ended';
  }
  if (rollout.state === 'running' && verdict.decision === 'ask') {
    await pauseRollout(tx, rollout, { actor: CONTROLLER, reason: verdict.reason, verdict });
    return 'moved';
  }
  if (rollout.state === 'draining') return drained(tx, rollout, verdict, probes);
  const hold = await holdOf(tx, rollout, verdict);
  if (rollout.state === 'running' && hold === undefined && (await advance(tx, rollout, verdict))) return 'moved';
  await requestProbes(tx, rollout, probes);
  await saveVerdict(tx, rollout, hold === undefined ? verdict : { ...verdict, hold });
  return 'stays';
}

async function drained(
  tx: Transaction,
  rollout: Rollout,
  verdict: Verdict,
  probes: ProbeFindings | undefined,
): Promise<Movement> {
  const drainedTo = await drain(tx, rollout, verdict);
  if (drainedTo === 'ended') return 'ended';
  await requestProbes(tx, rollout, probes);
  if (drainedTo === 'held') return 'moved';
  await saveVerdict(tx, rollout, drainedTo);
  return 'stays';
}

/** Why a step that was good is not followed by the next one now; a shadow's end brings the candidate to nobody. */
async function holdOf(tx: Transaction, rollout: Rollout, { decision }: Verdict): Promise<string | undefined> {
  if (decision !== 'good' || rollout.state !== 'running') return undefined;
  if (rollout.overrideSchedule || rollout.strategy === 'shadow') return undefined;
  return findHold(tx, rollout.tenantId, rollout.serverId);
}
