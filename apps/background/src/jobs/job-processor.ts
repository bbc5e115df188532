import { Inject, Injectable } from '@nestjs/common';
import { OnWorkerEvent, WorkerHost } from '@nestjs/bullmq';
import { DelayedError, UnrecoverableError, type Job } from 'bullmq';
import { z } from 'zod';
import type { Logger } from '#libs/telemetry';
import { LOGGER } from '../tokens.js';
import { JobRunner } from './job-runner.js';

const STOPPED_RETRY_MS = 1_000;
const dataSchema = z.object({ tenantId: z.uuid() });

/** What every queue's worker shares: at most four jobs at once, a job of a dead process is taken over within 20 s. */
export const WORKER_OPTIONS = {
  concurrency: 4,
  lockDuration: 15_000,
  stalledInterval: 5_000,
  maxStalledCount: 3,
} as const;

/** Brings the jobs of one queue to the runner and its answer back to the queue. */
@Injectable()
export abstract class JobProcessor extends WorkerHost {
  constructor(
    @Inject(JobRunner) private readonly runner: JobRunner,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    super();
  }

  override async process(job: Job, token?: string): Promise<void> {
    const { tenantId } = dataSchema.parse(job.data);
    const attempt = job.attemptsMade + 1 >= (job.opts.attempts ?? 1) ? 'last' : 'more-left';
    const result = await this.runner.run({ tenantId, id: job.id ?? '' }, attempt);
    switch (result.outcome) {
      case 'done':
      case 'already-closed':
        return;
      case 'retry':
        throw new Error(result.reason);
      case 'given-up':
        throw new UnrecoverableError(result.reason);
      case 'stopping':
        // Back to the queue without counting an attempt.
        await job.moveToDelayed(Date.now() + STOPPED_RETRY_MS, token);
        throw new DelayedError();
    }
  }

  /** A worker reconnects by itself; without a listener the error would end the process. */
  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.logger.warn({ err: error }, 'queue worker error');
  }
}
