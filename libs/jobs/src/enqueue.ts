import type { z } from 'zod';
import { newId, type Transaction } from '#libs/database';
import type { JobDefinition } from './definitions.js';

/**
 * Writes a job to the outbox in the caller's transaction; the background service hands it to BullMQ after the commit.
 * @returns the job's id, the same in outbox and queue.
 */
export async function enqueue<Payload>(
  tx: Transaction,
  tenantId: string,
  job: JobDefinition<Payload>,
  payload: z.input<JobDefinition<Payload>['payload']>,
): Promise<string> {
  const [id = ''] = await enqueueAll(tx, tenantId, job, [payload]);
  return id;
}

/** As `enqueue`, for many jobs of a kind at once; returns their ids in the order of what they carry. */
export async function enqueueAll<Payload>(
  tx: Transaction,
  tenantId: string,
  job: JobDefinition<Payload>,
  payloads: ReadonlyArray<z.input<JobDefinition<Payload>['payload']>>,
): Promise<string[]> {
  const ids = payloads.map(() => newId());
  await tx.query(
    `insert into outbox (tenant_id, id, queue, name, payload, attempts_max)
     select $1, j.id, $2, $3, j.payload, $4 from unnest($5::uuid[], $6::jsonb[]) as j (id, payload)`,
    [
      tenantId,
      job.queue,
      job.name,
      job.attempts,
      ids,
      payloads.map((payload) => JSON.stringify(job.payload.parse(payload))),
    ],
  );
  return ids;
}
