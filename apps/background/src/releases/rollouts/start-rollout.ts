import type { z } from 'zod';
import type { Transaction } from '#libs/database';
import { enqueue, startRolloutJob, watchRolloutJob } from '#libs/jobs';
import {
  beginStep,
  CONTROLLER,
  findRollout,
  lockRollout,
  rollBackRollout,
  switchRollout,
  type Rollout,
} from '#libs/rollouts';
import type { ReleaseSubject } from '../../release-worker/ask-release.js';
import { JobRefused, type JobHandler, type JobRun } from '../../jobs/job-handler.js';
import { keepNotes, type PublishRequest } from '../publishing.repository.js';
import type { PublishParts } from '../publish-release.js';
import { verifyRelease } from '../verification/verify-release.js';
import { findSubjectOf } from './candidate.repository.js';

type Payload = z.infer<typeof startRolloutJob.payload>;

/**
 * `checking` → `running` or `draining`: the candidate was verified as every release is; `checking` → `rejected`: it failed.
 * A run that finds the rollout elsewhere does nothing.
 */
export class StartRollout implements JobHandler<Payload> {
  readonly definition = startRolloutJob;

  constructor(private readonly parts: PublishParts) {}

  async run({ tenantId, rolloutId }: Payload, run: JobRun): Promise<void> {
    const found = await this.parts.database.asTenant(tenantId, (tx) => findCandidate(tx, tenantId, rolloutId));
    if (found === undefined) return;
    const { serverId, subject } = found;
    const request: PublishRequest = { tenantId, serverId, releaseId: subject.releaseId, jobId: run.jobId };
    const notes = await verifyRelease(this.parts, request, subject, run.signal);
    await this.#move(tenantId, rolloutId, async (tx, rollout) => {
      await keepNotes(tx, request, notes);
      const cause = { actor: CONTROLLER, reason: 'The candidate was verified.' };
      if (rollout.strategy === 'blue-green') await switchRollout(tx, rollout, cause);
      else await beginStep(tx, rollout, 0, cause);
      await enqueue(tx, tenantId, watchRolloutJob, { tenantId, rolloutId });
    });
  }

  async giveUp({ tenantId, rolloutId }: Payload, _run: JobRun, reason: string): Promise<void> {
    await this.#move(tenantId, rolloutId, (tx, rollout) => rollBackRollout(tx, rollout, { actor: CONTROLLER, reason }));
  }

  async #move(
    tenantId: string,
    rolloutId: string,
    work: (tx: Transaction, rollout: Rollout) => Promise<void>,
  ): Promise<void> {
    await this.parts.database.asTenant(tenantId, async (tx) => {
      const rollout = await lockRollout(tx, tenantId, rolloutId);
      if (rollout?.state === 'checking') await work(tx, rollout);
    });
    await this.parts.announcer.announce(tenantId);
  }
}

/** The candidate of a rollout that has not begun; undefined where nothing is left to do. */
async function findCandidate(
  tx: Transaction,
  tenantId: string,
  rolloutId: string,
): Promise<{ readonly serverId: string; readonly subject: ReleaseSubject } | undefined> {
  const rollout = await findRollout(tx, tenantId, rolloutId);
  if (rollout?.state !== 'checking') return undefined;
  const subject = await findSubjectOf(tx, rollout, 'candidate');
  if (subject === undefined) throw new JobRefused('The tenant was suspended before the rollout could begin.');
  return { serverId: rollout.serverId, subject };
}
