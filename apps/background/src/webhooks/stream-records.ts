import type { z } from 'zod';
import { LOG_COLUMNS, openRecords, type LogRow } from '#libs/audit';
import type { Transaction } from '#libs/database';
import { streamRecordsJob } from '#libs/jobs';
import type { JobHandler, JobRun } from '../jobs/job-handler.js';
import { NotDelivered, type SendingParts } from './deliver-webhook.js';
import { startStream } from './enqueue-deliveries.js';
import type { Message, Receiver } from './sender.js';
import { streamBody, streamItem, type StreamItem } from './stream-message.js';
import { lockActive, noteReceipt, receiverOf, type WebhookRow } from './webhooks.repository.js';

type Payload = z.infer<typeof streamRecordsJob.payload>;

const RECORDS_MAX = 500;
const BYTES_MAX = 1024 * 1024;
const RUN_MS = 40_000;

interface Batch {
  readonly end: number;
  readonly receiver: Receiver;
  readonly message: Message;
}

/**
 * Sends a tenant's audit log in the order of its numbers, batch by batch, until the receiver has all of it. The cursor
 * moves when a batch was taken; a batch that was not is sent again as it was, under the same `webhook-id`. A stream has
 * one job at a time, named in its row: another one does nothing.
 */
export class StreamRecords implements JobHandler<Payload> {
  readonly definition = streamRecordsJob;

  constructor(private readonly parts: SendingParts) {}

  async run({ tenantId, webhookId }: Payload, run: JobRun): Promise<void> {
    const { database, sender } = this.parts;
    const release = sender.reserve(tenantId, webhookId);
    const until = performance.now() + RUN_MS;
    try {
      while (performance.now() < until) {
        const batch = await database.asTenant(tenantId, (tx) => this.#nextBatch(tx, tenantId, webhookId, run.jobId));
        if (batch === undefined) return;
        const receipt = await sender.send(batch.receiver, batch.message, run.signal);
        await database.asTenant(tenantId, async (tx) => {
          if (receipt.failure === undefined) await moveCursor(tx, tenantId, webhookId, run.jobId, batch.end);
          await noteReceipt(tx, tenantId, webhookId, receipt);
        });
        if (receipt.failure !== undefined) throw new NotDelivered(receipt.failure);
      }
    } finally {
      release();
    }
    await this.#continue(tenantId, webhookId, run.jobId);
  }

  /** A receiver that did not answer for an hour is tried anew from the shortest wait, until its webhook is paused. */
  async giveUp({ tenantId, webhookId }: Payload, { jobId }: JobRun): Promise<void> {
    await this.#continue(tenantId, webhookId, jobId);
  }

  async #continue(tenantId: string, webhookId: string, jobId: string): Promise<void> {
    await this.parts.database.asTenant(tenantId, async (tx) => {
      const webhook = await lockActive(tx, tenantId, webhookId);
      if (webhook?.stream_job_id === jobId) await startStream(tx, tenantId, webhookId);
    });
  }

  /** The next batch; undefined where there is none, and then the stream has no job any more. */
  async #nextBatch(tx: Transaction, tenantId: string, webhookId: string, jobId: string): Promise<Batch | undefined> {
    const webhook = await lockActive(tx, tenantId, webhookId);
    if (webhook?.stream_job_id !== jobId) return undefined;
    const rows = await readBatch(tx, tenantId, webhook);
    const items = await this.#items(tx, tenantId, webhook, rows);
    const last = rows[items.length - 1];
    if (last === undefined) {
      await tx.query(`update webhooks set stream_job_id = null where tenant_id = $1 and id = $2`, [
        tenantId,
        webhookId,
      ]);
      return undefined;
    }
    const [first, end] = [Number(rows[0]?.leaf_index), Number(last.leaf_index) + 1];
    await tx.query(`update webhooks set stream_end = $3 where tenant_id = $1 and id = $2`, [tenantId, webhookId, end]);
    return {
      end,
      receiver: await receiverOf(tx, tenantId, this.parts.vault, webhook),
      message: {
        id: `${webhookId}_${first}_${end}`,
        body: streamBody(tenantId, webhook.format, { first, end, at: last.at, items }),
      },
    };
  }

  /** The records of a message: as many as fit, at least one. */
  async #items(
    tx: Transaction,
    tenantId: string,
    { format }: WebhookRow,
    rows: readonly LogRow[],
  ): Promise<StreamItem[]> {
    const shown = await openRecords(tx, tenantId, this.parts.persons, rows);
    const items: StreamItem[] = [];
    let bytes = 0;
    for (const [index, row] of rows.entries()) {
      const one = shown[index];
      if (one === undefined) break;
      const item = streamItem(tenantId, format, row, one);
      bytes += Buffer.byteLength(item.line);
      if (bytes > BYTES_MAX && index > 0) break;
      items.push(item);
    }
    return items;
  }
}

/** The records of a batch that was sent before, or the next ones. */
async function readBatch(tx: Transaction, tenantId: string, webhook: WebhookRow): Promise<LogRow[]> {
  const { stream_next: next, stream_end: end } = webhook;
  const rows: LogRow[] = await tx.query(
    `select ${LOG_COLUMNS} from audit_log where tenant_id = $1 and leaf_index >= $2
       and ($3::bigint is null or leaf_index < $3) order by leaf_index limit $4`,
    [tenantId, next, end, RECORDS_MAX],
  );
  // What was to be sent again has left for an archive meanwhile.
  if (rows.length === 0 && end !== null) return readBatch(tx, tenantId, { ...webhook, stream_end: null });
  return rows;
}

async function moveCursor(
  tx: Transaction,
  tenantId: string,
  webhookId: string,
  jobId: string,
  end: number,
): Promise<void> {
  await tx.query(
    `update webhooks set stream_next = $4, stream_end = null
     where tenant_id = $1 and id = $2 and stream_job_id = $3 and stream_next < $4`,
    [tenantId, webhookId, jobId, end],
  );
}
