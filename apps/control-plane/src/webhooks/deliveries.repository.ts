import { Injectable } from '@nestjs/common';
import { newId, type Transaction } from '#libs/database';
import { deliverWebhookJob, enqueueAll } from '#libs/jobs';
import type { DELIVERY_STATES } from './webhooks.schema.js';

/** A stored delivery. */
export interface DeliveryRow {
  readonly id: string;
  readonly type: string;
  readonly record_id: string | null;
  readonly checkpoint_size: string | null;
  readonly state: (typeof DELIVERY_STATES)[number];
  readonly attempts: number;
  readonly last_status: number | null;
  readonly last_failure: string | null;
  readonly attempted_at: Date | null;
  readonly created_at: Date;
}

const COLUMNS = `id, type, record_id, checkpoint_size, state, attempts, last_status, last_failure, attempted_at, created_at`;

/** What a tenant's webhooks were sent and what waits. */
@Injectable()
export class DeliveriesRepository {
  async list(
    tx: Transaction,
    tenantId: string,
    webhookId: string,
    { state, cursor, limit }: { readonly state?: string; readonly cursor?: string; readonly limit: number },
  ): Promise<DeliveryRow[]> {
    return tx.query(
      `select ${COLUMNS} from webhook_deliveries where tenant_id = $1 and webhook_id = $2
         and ($3::text is null or state = $3) and ($4::uuid is null or id < $4) order by id desc limit $5`,
      [tenantId, webhookId, state ?? null, cursor ?? null, limit],
    );
  }

  async find(tx: Transaction, tenantId: string, webhookId: string, id: string): Promise<DeliveryRow | undefined> {
    const rows: DeliveryRow[] = await tx.query(
      `select ${COLUMNS} from webhook_deliveries where tenant_id = $1 and webhook_id = $2 and id = $3`,
      [tenantId, webhookId, id],
    );
    return rows[0];
  }

  /** Writes a test delivery with its job; returns its id. */
  async insertTest(tx: Transaction, tenantId: string, webhookId: string): Promise<string> {
    const id = newId();
    const [jobId] = await enqueueAll(tx, tenantId, deliverWebhookJob, [{ tenantId, webhookId, deliveryId: id }]);
    await tx.query(
      `insert into webhook_deliveries (tenant_id, id, webhook_id, type, job_id) values ($1, $2, $3, 'webhook.test', $4)`,
      [tenantId, id, webhookId, jobId],
    );
    return id;
  }

  /** How many deliveries wait. */
  async countPending(tx: Transaction, tenantId: string, webhookId: string): Promise<number> {
    const rows: [{ count: number }] = await tx.query(
      `select count(*)::int as count from webhook_deliveries
       where tenant_id = $1 and webhook_id = $2 and state = 'pending'`,
      [tenantId, webhookId],
    );
    return rows[0].count;
  }

  /** Gives every delivery that waits a new job, after which the job it had does nothing. */
  async restartPending(tx: Transaction, tenantId: string, webhookId: string): Promise<void> {
    const rows: Array<{ id: string }> = await tx.query(
      `select id from webhook_deliveries where tenant_id = $1 and webhook_id = $2 and state = 'pending' order by id`,
      [tenantId, webhookId],
    );
    await this.restart(
      tx,
      tenantId,
      webhookId,
      rows.map(({ id }) => id),
    );
  }

  /** Lets deliveries wait to be sent, from their first attempt on. */
  async restart(tx: Transaction, tenantId: string, webhookId: string, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const payloads = ids.map((deliveryId) => ({ tenantId, webhookId, deliveryId }));
    const jobs = await enqueueAll(tx, tenantId, deliverWebhookJob, payloads);
    await tx.query(
      `update webhook_deliveries d set job_id = j.job_id, state = 'pending'
       from unnest($3::uuid[], $4::uuid[]) as j (id, job_id)
       where d.tenant_id = $1 and d.webhook_id = $2 and d.id = j.id`,
      [tenantId, webhookId, ids, jobs],
    );
  }
}
