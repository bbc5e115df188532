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
  const id = newId();
  await tx.query(
    `insert into outbox (tenant_id, id, queue, name, payload, attempts_max) values ($1, $2, $3, $4, $5, $6)`,
    [tenantId, id, job.queue, job.name, JSON.stringify(job.payload.parse(payload)), job.attempts],
  );
  return id;
}
