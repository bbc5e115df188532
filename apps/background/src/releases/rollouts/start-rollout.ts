import type { z } from 'zod';
import type { ChangeAnnouncer } from '#libs/changes';
import type { Database, Transaction } from '#libs/database';
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
import { JobRefused, type JobHandler, type JobRun } from '../../jobs/job-handler.js';
import type { ReleaseCheck } from '../release-check.js';
import { findSubjectOf } from './candidate.repository.js';

type Payload = z.infer<typeof startRolloutJob.payload>;

/**
 * `checking` → `running` or `draining`: the candidate's worker has listed its tools; `checking` → `rejected`: it has not.
 * A run that finds the rollout elsewhere does nothing.
 */
export class StartRollout implements JobHandler<Payload> {
  readonly definition = startRolloutJob;

  constructor(
    private readonly database: Database,
    private readonly check: ReleaseCheck,
    private readonly announcer: Pick<ChangeAnnouncer, 'announce'>,
  ) {}

  async run({ tenantId, rolloutId }: Payload, run: JobRun): Promise<void> {
    const subject = await this.database.asTenant(tenantId, async (tx) => {
      const rollout = await findRollout(tx, tenantId, rolloutId);
      if (rollout?.state !== 'checking') return undefined;
      const found = await findSubjectOf(tx, rollout, 'candidate');
      if (found === undefined) throw new JobRefused('The tenant was suspended before the rollout could begin.');
      return found;
    });
    if (subject === undefined) return;
    await this.check.requirePromisedTools(subject, run.signal);
    await this.#move(tenantId, rolloutId, async (tx, rollout) => {
      const cause = { actor: CONTROLLER, reason: 'The candidate’s worker has listed the tools of its manifest.' };
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
    await this.database.asTenant(tenantId, async (tx) => {
      const rollout = await lockRollout(tx, tenantId, rolloutId);
      if (rollout?.state === 'checking') await work(tx, rollout);
    });
    await this.announcer.announce(tenantId);
  }
}
