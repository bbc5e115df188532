import type { Queue } from 'bullmq';
import { AppError } from '#libs/errors';
import type { OutboxJob, QueueName } from '#libs/jobs';

const ANSWER_MS = 5_000;
const FIRST_RETRY_MS = 1_000;
const FAILED_KEPT_SECONDS = 7 * 24 * 60 * 60;

/** The queues by name. */
export type Queues = Readonly<Record<QueueName, Queue>>;

/** What a queue knows of a job: not there, given up, or somewhere on its way. */
export type JobPresence = 'absent' | 'failed' | 'present';

/** Rejects when Redis has not answered in time. The command itself cannot be called back, so callers must be repeatable. */
async function answered<Result>(answer: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new AppError('unavailable', { detail: { redis: `no answer within ${ANSWER_MS} ms` } });
    timer = setTimeout(() => reject(error), ANSWER_MS);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}

/** Adds jobs to their queues. A job whose id a queue knows already is not added again. */
export async function addJobs(queues: Queues, jobs: readonly OutboxJob[]): Promise<void> {
  await Promise.all(
    [...Map.groupBy(jobs, (job) => job.queue)].map(([queue, ofQueue]) =>
      answered(
        queues[queue].addBulk(
          ofQueue.map((job) => ({
            name: job.name,
            data: { tenantId: job.tenantId },
            opts: {
              jobId: job.id,
              delay: job.delayMs,
              attempts: job.attemptsMax,
              backoff: { type: 'exponential', delay: FIRST_RETRY_MS, jitter: 0.2 },
              removeOnComplete: true,
              removeOnFail: { age: FAILED_KEPT_SECONDS },
            },
          })),
        ),
      ),
    ),
  );
}

/** Whether a job is still in its queue. */
export async function presenceOf(queues: Queues, job: OutboxJob): Promise<JobPresence> {
  const state = await answered(queues[job.queue].getJobState(job.id));
  if (state === 'failed') return 'failed';
  return state === 'unknown' ? 'absent' : 'present';
}

/** Throws when Redis does not answer. */
export async function pingQueues(queues: Queues): Promise<void> {
  await answered(queues.releases.getJobCountByTypes('wait'));
}
