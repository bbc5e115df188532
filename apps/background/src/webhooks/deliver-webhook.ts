import type { z } from 'zod';
import { openRecords } from '#libs/audit';
import type { Database, Transaction } from '#libs/database';
import { deliverWebhookJob } from '#libs/jobs';
import type { PersonKeys, TenantVault } from '#libs/secrets';
import { JobRefused, type JobHandler, type JobRun } from '../jobs/job-handler.js';
import {
  countAttempt,
  findCheckpoint,
  findPending,
  findRecord,
  giveUpDelivery,
  type DeliveryRow,
} from './deliveries.repository.js';
import type { Message, Receiver, WebhookSender } from './sender.js';
import { otlpTest } from './stream-message.js';
import { findActive, noteReceipt, receiverOf, type WebhookRow } from './webhooks.repository.js';

type Payload = z.infer<typeof deliverWebhookJob.payload>;

/** What sending needs. */
export interface SendingParts {
  readonly database: Database;
  readonly vault: TenantVault;
  readonly persons: PersonKeys;
  readonly sender: WebhookSender;
}

/** Thrown where a receiver did not take a message, so that it is sent again. */
export class NotDelivered extends Error {
  override readonly name = 'NotDelivered';
}

/**
 * Makes one delivery of a webhook, at least once and always under the same `webhook-id`.
 *
 *     pending ── receiver answers 2xx ──► delivered ── replayed ──► pending
 *        └── every attempt failed ──► dead ── replayed ──► pending
 *
 * What it says is read from the log when it is sent, so that erased people stay erased. While its webhook is paused a
 * delivery stays pending, and resuming gives it a new job; a job that is not its delivery's newest does nothing.
 */
export class DeliverWebhook implements JobHandler<Payload> {
  readonly definition = deliverWebhookJob;

  constructor(private readonly parts: SendingParts) {}

  async run(payload: Payload, run: JobRun): Promise<void> {
    const { database, sender } = this.parts;
    const { tenantId, webhookId, deliveryId } = payload;
    const release = sender.reserve(tenantId, webhookId);
    try {
      const found = await database.asTenant(tenantId, (tx) => this.#compose(tx, payload, run.jobId));
      if (found === undefined) return;
      const receipt = await sender.send(found.receiver, found.message, run.signal);
      await database.asTenant(tenantId, async (tx) => {
        await countAttempt(tx, tenantId, { id: deliveryId, jobId: run.jobId }, receipt);
        await noteReceipt(tx, tenantId, webhookId, receipt);
      });
      if (receipt.failure !== undefined) throw new NotDelivered(receipt.failure);
    } finally {
      release();
    }
  }

  async giveUp({ tenantId, deliveryId }: Payload, { jobId }: JobRun, reason: string): Promise<void> {
    await this.parts.database.asTenant(tenantId, (tx) => giveUpDelivery(tx, tenantId, deliveryId, { jobId, reason }));
  }

  async #compose(
    tx: Transaction,
    { tenantId, webhookId, deliveryId }: Payload,
    jobId: string,
  ): Promise<{ readonly receiver: Receiver; readonly message: Message } | undefined> {
    const delivery = await findPending(tx, tenantId, deliveryId, jobId);
    const webhook = delivery && (await findActive(tx, tenantId, webhookId));
    if (delivery === undefined || webhook === undefined) return undefined;
    const body = await this.#body(tx, tenantId, webhook, delivery);
    return {
      receiver: await receiverOf(tx, tenantId, this.parts.vault, webhook),
      message: { id: delivery.id, body },
    };
  }

  async #body(
    tx: Transaction,
    tenantId: string,
    { format }: WebhookRow,
    delivery: DeliveryRow,
  ): Promise<Message['body']> {
    // A stream is sent single messages as tests only.
    if (format === 'otlp') return otlpTest(tenantId, { id: delivery.id, at: delivery.created_at });
    const { at, data } = await this.#content(tx, tenantId, delivery);
    return JSON.stringify({ type: delivery.type, timestamp: at.toISOString(), data });
  }

  async #content(tx: Transaction, tenantId: string, delivery: DeliveryRow): Promise<{ at: Date; data: unknown }> {
    const { record_id: recordId, checkpoint_size: size } = delivery;
    if (recordId !== null) {
      const row = await findRecord(tx, tenantId, recordId);
      if (row === undefined) throw new JobRefused('The record has left the log for an archive.');
      const [shown] = await openRecords(tx, tenantId, this.parts.persons, [row]);
      return { at: row.at, data: shown };
    }
    if (size === null) return { at: delivery.created_at, data: { webhook: 'This is a test.' } };
    const checkpoint = await findCheckpoint(tx, tenantId, size);
    if (checkpoint === undefined) throw new JobRefused('There is no such checkpoint.');
    const { note, root, created_at: at } = checkpoint;
    return { at, data: { size: Number(size), root: root.toString('base64'), note } };
  }
}
