import type { Transaction } from '#libs/database';
import { enqueue, streamRecordsJob } from '#libs/jobs';
import { countPending, insertDeliveries, type DeliverySubject } from './deliveries.repository.js';
import { pauseWebhook } from './webhooks.repository.js';

const PENDING_MAX = 10_000;

/** What is new in a tenant's audit log. */
export interface LogNews {
  readonly records: ReadonlyArray<{ readonly id: string; readonly event: string }>;
  /** The size that a checkpoint was signed for. */
  readonly checkpointSize: number | undefined;
}

interface Subscription {
  readonly id: string;
  readonly mode: 'each' | 'stream';
  readonly events: readonly string[];
}

/**
 * Enqueues what a tenant's webhooks are to be sent, in the transaction that gives the records their numbers: nothing is
 * sent that is not in the log, and nothing in the log is forgotten. A webhook with ten thousand deliveries waiting is
 * paused instead.
 */
export async function enqueueDeliveries(tx: Transaction, tenantId: string, news: LogNews): Promise<void> {
  const webhooks: Subscription[] = await tx.query(
    `select id, mode, events from webhooks where tenant_id = $1 and state = 'active'`,
    [tenantId],
  );
  if (webhooks.length === 0) return;
  const wanted = webhooks.filter(({ mode }) => mode === 'each').map((webhook) => subjectsFor(webhook, news));
  await enqueueEach(tx, tenantId, wanted);
  if (news.records.length > 0 && webhooks.some(({ mode }) => mode === 'stream')) await wakeStreams(tx, tenantId);
}

/** Whether one of these patterns names an event: itself, all that begin with `prefix.*`, or `*`. */
function matches(patterns: readonly string[], event: string): boolean {
  return patterns.some(
    (pattern) =>
      pattern === '*' || pattern === event || (pattern.endsWith('.*') && event.startsWith(pattern.slice(0, -1))),
  );
}

function subjectsFor({ id: webhookId, events }: Subscription, { records, checkpointSize }: LogNews): DeliverySubject[] {
  const names = new Set(records.map(({ event }) => event));
  const matched = new Set([...names].filter((event) => matches(events, event)));
  const subjects: DeliverySubject[] = records
    .filter(({ event }) => matched.has(event))
    .map(({ id, event }) => ({ webhookId, type: event, recordId: id }));
  if (checkpointSize !== undefined && matches(events, 'audit.checkpoint'))
    subjects.push({ webhookId, type: 'audit.checkpoint', checkpointSize });
  return subjects;
}

async function enqueueEach(
  tx: Transaction,
  tenantId: string,
  wanted: ReadonlyArray<readonly DeliverySubject[]>,
): Promise<void> {
  const lists = wanted.flatMap((subjects) =>
    subjects[0] === undefined ? [] : [{ id: subjects[0].webhookId, subjects }],
  );
  if (lists.length === 0) return;
  const pending = await countPending(
    tx,
    tenantId,
    lists.map(({ id }) => id),
  );
  const fits = ({ id, subjects }: (typeof lists)[number]): boolean =>
    (pending.get(id) ?? 0) + subjects.length <= PENDING_MAX;
  for (const list of lists) if (!fits(list)) await pauseWebhook(tx, tenantId, list.id, 'overflowing');
  const taken = lists.filter(fits).flatMap(({ subjects }) => subjects);
  if (taken.length > 0) await insertDeliveries(tx, tenantId, taken);
}

/**
 * Gives a job to each stream that has none. The lock makes it wait for a job that is just about to end: either that job
 * sees the new records, or it is seen to have ended.
 */
async function wakeStreams(tx: Transaction, tenantId: string): Promise<void> {
  const idle: Array<{ id: string; stream_job_id: string | null }> = await tx.query(
    `select id, stream_job_id from webhooks where tenant_id = $1 and state = 'active' and mode = 'stream'
     order by id for update`,
    [tenantId],
  );
  for (const { id, stream_job_id: job } of idle) if (job === null) await startStream(tx, tenantId, id);
}

/** Gives a stream a new job; a job it had is over. */
export async function startStream(tx: Transaction, tenantId: string, webhookId: string): Promise<void> {
  const jobId = await enqueue(tx, tenantId, streamRecordsJob, { tenantId, webhookId });
  await tx.query(`update webhooks set stream_job_id = $3 where tenant_id = $1 and id = $2`, [
    tenantId,
    webhookId,
    jobId,
  ]);
}
