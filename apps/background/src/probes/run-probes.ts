import type { z } from 'zod';
import type { Database } from '#libs/database';
import { runProbesJob } from '#libs/jobs';
import { contextVersion } from '#libs/supply';
import type { JobHandler, JobRun } from '../jobs/job-handler.js';
import type { ProbeRunner } from './probe-runner.js';
import { findProbedRelease, findProbes } from './probe-runs.repository.js';

type Payload = z.infer<typeof runProbesJob.payload>;

/** Runs a server's probes because somebody asked for it, or because they are due. */
export class RunProbes implements JobHandler<Payload> {
  readonly definition = runProbesJob;

  constructor(
    private readonly database: Database,
    private readonly runner: ProbeRunner,
  ) {}

  async run({ tenantId, serverId, releaseId, probeIds, cause }: Payload, { jobId, signal }: JobRun): Promise<void> {
    const found = await this.database.asTenant(tenantId, async (tx) => ({
      release: await findProbedRelease(tx, tenantId, { serverId, releaseId }),
      probes: await findProbes(tx, tenantId, { serverId, ids: probeIds }),
      version: await contextVersion(tx, tenantId),
    }));
    if (found.release === undefined) return;
    const subject = { tenantId, ...found.release, contextVersion: found.version };
    await this.runner.run(found.probes, subject, { tenantId, releaseId: subject.releaseId, jobId, cause }, signal);
  }
}
