import { LOG_COLUMNS, type LogRow } from '#libs/audit';
import { newId, type Transaction } from '#libs/database';
import { deliverWebhookJob, enqueueAll } from '#libs/jobs';
import type { Receipt } from './sender.js';

/** What a delivery is about. */
export interface DeliverySubject {
  readonly webhookId: string;
  readonly type: string;
  readonly recordId?: string;
  readonly checkpointSize?: number;
}

/** A delivery that waits for its receiver. */
export interface DeliveryRow {
  readonly id: string;
  readonly type: string;
  readonly record_id: string | null;
  readonly checkpoint_size: string | null;
  readonly created_at: Date;
}

/** Writes deliveries with their jobs. */
export async function insertDeliveries(
  tx: Transaction,
  tenantId: string,
  subjects: readonly DeliverySubject[],
): Promise<void> {
  const rows = subjects.map((subject) => ({ ...subject, id: newId() }));
  const jobs = await enqueueAll(
    tx,
    tenantId,
    deliverWebhookJob,
    rows.map(({ id, webhookId }) => ({ tenantId, webhookId, deliveryId: id })),
  );
  await tx.query(
    `insert into webhook_deliveries (tenant_id, id, webhook_id, type, record_id, checkpoint_size, job_id)
     select $1, d.id, d.webhook_id, d.type, d.record_id, d.size, d.job_id
     from unnest($2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::bigint[], $7::uuid[])
       as d (id, webhook_id, type, record_id, size, job_id)`,
    [
      tenantId,
      rows.map(({ id }) => id),
      rows.map(({ webhookId }) => webhookId),
      rows.map(({ type }) => type),
      rows.map(({ recordId }) => recordId ?? null),
      rows.map(({ checkpointSize }) => checkpointSize ?? null),
      jobs,
    ],
  );
}

/** How many deliveries wait for each of these webhooks' receivers. */
export async function countPending(
  tx: Transaction,
  tenantId: string,
  webhookIds: readonly string[],
): Promise<Map<string, number>> {
  const rows: Array<{ webhook_id: string; count: number }> = await tx.query(
    `select webhook_id, count(*)::int as count from webhook_deliveries
     where tenant_id = $1 and webhook_id = any($2) and state = 'pending' group by webhook_id`,
    [tenantId, webhookIds],
  );
  return new Map(rows.map((row) => [row.webhook_id, row.count]));
}

/** A delivery that this job is to make; undefined once it is made, given up, or another job's. */
export async function findPending(
  tx: Transaction,
  tenantId: string,
  id: string,
  jobId: string,
): Promise<DeliveryRow | undefined> {
  const rows: DeliveryRow[] = await tx.query(
    `select id, type, record_id, checkpoint_size, created_at from webhook_deliveries
     where tenant_id = $1 and id = $2 and job_id = $3 and state = 'pending'`,
    [tenantId, id, jobId],
  );
  return rows[0];
}

/** Counts an attempt, and ends the delivery where the receiver took it, unless it was replayed meanwhile. */
export async function countAttempt(
  tx: Transaction,
  tenantId: string,
  { id, jobId }: { readonly id: string; readonly jobId: string },
  { status, failure }: Receipt,
): Promise<void> {
  await tx.query(
    `update webhook_deliveries set attempts = attempts + 1, attempted_at = now(), last_status = $3, last_failure = $4,
       state = case when $4::text is null and job_id = $5 then 'delivered' else state end
     where tenant_id = $1 and id = $2`,
    [tenantId, id, status, failure ?? null, jobId],
  );
}

/** Gives up a delivery that this job could not make; it can be replayed. */
export async function giveUpDelivery(
  tx: Transaction,
  tenantId: string,
  id: string,
  { jobId, reason }: { readonly jobId: string; readonly reason: string },
): Promise<void> {
  await tx.query(
    `update webhook_deliveries set state = 'dead', last_failure = coalesce(last_failure, $4)
     where tenant_id = $1 and id = $2 and job_id = $3 and state = 'pending'`,
    [tenantId, id, jobId, reason],
  );
}

/** A record of the log; undefined where it is in an archive. */
export async function findRecord(tx: Transaction, tenantId: string, id: string): Promise<LogRow | undefined> {
  const rows: LogRow[] = await tx.query(`select ${LOG_COLUMNS} from audit_log where tenant_id = $1 and id = $2`, [
    tenantId,
    id,
  ]);
  return rows[0];
}

/** A signed checkpoint. */
export async function findCheckpoint(
  tx: Transaction,
  tenantId: string,
  size: string,
): Promise<{ readonly note: string; readonly root: Buffer; readonly created_at: Date } | undefined> {
  const rows: Array<{ note: string; root: Buffer; created_at: Date }> = await tx.query(
    `select note, root, created_at from audit_checkpoints where tenant_id = $1 and size = $2`,
    [tenantId, size],
  );
  return rows[0];
}
