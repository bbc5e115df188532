import { Inject, Injectable } from '@nestjs/common';
import { OnWorkerEvent, WorkerHost } from '@nestjs/bullmq';
import { DelayedError, UnrecoverableError, type Job } from 'bullmq';
import { z } from 'zod';
import type { Logger } from '#libs/telemetry';
import { LOGGER } from '../tokens.js';
import { JobRunner } from './job-runner.js';

const STOPPED_RETRY_MS = 1_000;
const DEFERRED_MS = 1_000;
const DEFERRED_DOUBLINGS_MAX = 6;
const dataSchema = z.object({ tenantId: z.uuid() });

/** What every queue's worker shares: at most four jobs at once, a job of a dead process is taken over within 20 s. */
export const WORKER_OPTIONS = {
  concurrency: 4,
  lockDuration: 15_000,
  stalledInterval: 5_000,
  maxStalledCount: 3,
  // After an error of Redis, which a failover is; of itself a worker asks for nothing for 15 s.
  runRetryDelay: 1_000,
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
      case 'elsewhere':
        return;
      case 'retry':
        throw new Error(result.reason);
      case 'given-up':
        throw new UnrecoverableError(result.reason);
      case 'stopping':
        return returnToQueue(job, token, STOPPED_RETRY_MS);
      case 'deferred':
        return returnToQueue(job, token, deferralMs(job));
    }
  }

  /** A worker reconnects by itself; without a listener the error would end the process. */
  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.logger.warn({ err: error }, 'queue worker error');
  }
}

/** Back to the queue without counting an attempt. */
async function returnToQueue(job: Job, token: string | undefined, ms: number): Promise<never> {
  await job.moveToDelayed(Date.now() + ms, token);
  throw new DelayedError();
}

/** Twice as long each time there was no room, a minute at most, and never all at once. */
function deferralMs({ attemptsStarted, attemptsMade }: Job): number {
  const doublings = Math.min(attemptsStarted - attemptsMade - 1, DEFERRED_DOUBLINGS_MAX);
  return DEFERRED_MS * 2 ** doublings * (0.5 + Math.random() / 2);
}
