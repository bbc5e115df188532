import type { z } from 'zod';
import { newId, type Transaction } from '#libs/database';
import type { JobDefinition } from './definitions.js';

/**
 * Writes a job to the outbox in the caller's transaction; the background service hands it to BullMQ after the commit,
 * which runs it when `delayMs` have passed.
 * @returns the job's id, the same in outbox and queue.
 */
export async function enqueue<Payload>(
  tx: Transaction,
  tenantId: string,
  job: JobDefinition<Payload>,
  payload: z.input<JobDefinition<Payload>['payload']>,
  delayMs = 0,
): Promise<string> {
  const [id = ''] = await enqueueAll(tx, tenantId, job, [payload], delayMs);
  return id;
}

/** As `enqueue`, for many jobs of a kind at once; returns their ids in the order of what they carry. */
export async function enqueueAll<Payload>(
  tx: Transaction,
  tenantId: string,
  job: JobDefinition<Payload>,
  payloads: ReadonlyArray<z.input<JobDefinition<Payload>['payload']>>,
  delayMs = 0,
): Promise<string[]> {
  const ids = payloads.map(() => newId());
  await tx.query(
    `insert into outbox (tenant_id, id, queue, name, payload, attempts_max, due_at)
     select $1, j.id, $2, $3, j.payload, $4, now() + make_interval(secs => $7::float8 / 1000)
     from unnest($5::uuid[], $6::jsonb[]) as j (id, payload)`,
    [
      tenantId,
      job.queue,
      job.name,
      job.attempts,
      ids,
      payloads.map((payload) => JSON.stringify(job.payload.parse(payload))),
      delayMs,
    ],
  );
  return ids;
}

/**
 * Replaces a job that runs by its successor in one transaction: whichever way a run is cut off, one of the two is there.
 * Does nothing where the job is gone, so that a run that is repeated leaves one successor.
 */
export async function succeed<Payload>(
  tx: Transaction,
  jobId: string,
  job: JobDefinition<Payload>,
  next: {
    readonly tenantId: string;
    readonly payload: z.input<JobDefinition<Payload>['payload']>;
    readonly delayMs: number;
  },
): Promise<void> {
  const [rows] = await tx.query(
    `delete from outbox where tenant_id = $1 and id = $2 and completed_at is null returning id`,
    [next.tenantId, jobId],
  );
  if (rows.length > 0) await enqueue(tx, next.tenantId, job, next.payload, next.delayMs);
}
