import { atHome, type Transaction } from '#libs/database';
import type { JobDefinition, QueueName } from './definitions.js';

/** A job as the relay hands it to its queue: where it goes and how often it is tried. What it carries stays in PostgreSQL. */
export interface OutboxJob {
  readonly tenantId: string;
  readonly id: string;
  readonly queue: QueueName;
  readonly name: string;
  readonly attemptsMax: number;
  /** How long until it is due. */
  readonly delayMs: number;
}

/** A job that is not finished, with what it carries. */
export interface OpenJob extends OutboxJob {
  readonly payload: unknown;
  readonly createdAt: Date;
  /** Whether a service of the asking region may run it. */
  readonly atHome: boolean;
}

/** How much of the outbox is not finished. */
export interface OutboxBacklog {
  readonly open: number;
  readonly oldestSeconds: number;
}

const JOB_COLUMNS = `o.tenant_id as "tenantId", o.id, o.queue, o.name, o.attempts_max as "attemptsMax",
  coalesce(greatest(0, ceil(extract(epoch from o.due_at - now()) * 1000)), 0)::int as "delayMs"`;

/**
 * Claims jobs for one relay: marks up to `max` waiting rows as dispatched and returns them. Rows that another relay
 * is claiming are skipped, and so are those of tenants that another region alone serves, or that are on their way
 * between two databases. Runs across tenants, as the background service.
 */
export async function claimJobs(tx: Transaction, max: number, region?: string): Promise<OutboxJob[]> {
  const [rows] = await tx.query(
    `update outbox o set dispatched_at = now(), dispatched_region = coalesce($2, '')
     from (select tenant_id, id from outbox where completed_at is null and dispatched_at is null and app_is_home(tenant_id)
             and ${atHome('outbox.tenant_id', '$2')}
           order by created_at limit $1 for update skip locked) waiting
     where o.tenant_id = waiting.tenant_id and o.id = waiting.id
     returning ${JOB_COLUMNS}`,
    [max, region ?? null],
  );
  return rows;
}

/**
 * Gives claimed jobs back because their queue did not take them; any relay may claim them again. Those of tenants on their
 * way between two databases stay as they are; a relay finds them where they arrive (`dispatchedJobs`).
 */
export async function returnJobs(
  tx: Transaction,
  jobs: ReadonlyArray<Pick<OutboxJob, 'tenantId' | 'id'>>,
): Promise<void> {
  await tx.query(
    `update outbox set dispatched_at = null, dispatched_region = null
     where completed_at is null and app_is_home(tenant_id) and (tenant_id, id) in
       (select * from unnest($1::uuid[], $2::uuid[]))`,
    [jobs.map((job) => job.tenantId), jobs.map((job) => job.id)],
  );
}

/**
 * Dispatched jobs that are not finished, in the order of their ids, after the id `after`: what relays of this region handed
 * over (each has queues of its own), and what others did for tenants that are at home here by now. Runs across tenants.
 */
export async function dispatchedJobs(
  tx: Transaction,
  {
    after,
    max,
    region,
  }: { readonly after: string | undefined; readonly max: number; readonly region?: string | undefined },
): Promise<OutboxJob[]> {
  return tx.query(
    `select ${JOB_COLUMNS} from outbox o
     where completed_at is null and dispatched_at is not null and ($1::uuid is null or id > $1)
       and ${atHome('o.tenant_id', '$3')} and app_is_home(o.tenant_id)
       and (coalesce(dispatched_region, coalesce($3, '')) = coalesce($3, '')
         or exists (select from tenants t where t.id = o.tenant_id and t.home_region = $3))
     order by id limit $2`,
    [after ?? null, max, region ?? null],
  );
}

/** A tenant's job while it is not finished; undefined once it is, or where there is none. */
export async function findOpenJob(
  tx: Transaction,
  { tenantId, id }: Pick<OutboxJob, 'tenantId' | 'id'>,
  region?: string,
): Promise<OpenJob | undefined> {
  const rows: OpenJob[] = await tx.query(
    `select ${JOB_COLUMNS}, o.payload, o.created_at as "createdAt", ${atHome('o.tenant_id', '$3')} as "atHome" from outbox o
     where tenant_id = $1 and id = $2 and completed_at is null`,
    [tenantId, id, region ?? null],
  );
  return rows[0];
}

/** Closes a job: done, or with the sentence that says why it was given up. A closed job stays as it is. */
export async function closeJob(tx: Transaction, tenantId: string, id: string, failure?: string): Promise<void> {
  await tx.query(
    `update outbox set completed_at = now(), failure = $3 where tenant_id = $1 and id = $2 and completed_at is null`,
    [tenantId, id, failure ?? null],
  );
}

/** Deletes up to `max` jobs that were closed more than `days` ago; returns how many. Runs across tenants. */
export async function deleteClosedJobs(tx: Transaction, days: number, max: number): Promise<number> {
  const [rows] = await tx.query(
    `delete from outbox where (tenant_id, id) in
       (select tenant_id, id from outbox where completed_at < now() - make_interval(days => $1) and app_is_home(tenant_id)
        limit $2 for update skip locked) returning id`,
    [days, max],
  );
  return rows.length;
}

/**
 * How many jobs are open and how long the oldest has waited. Runs across tenants. Webhooks are not counted: they wait
 * for tenants' receivers, which says nothing about us.
 */
export async function outboxBacklog(tx: Transaction): Promise<OutboxBacklog> {
  const rows: OutboxBacklog[] = await tx.query(
    `select count(*)::int as open, coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as "oldestSeconds"
     from outbox where completed_at is null and queue <> 'webhooks'`,
  );
  return rows[0] ?? { open: 0, oldestSeconds: 0 };
}

/** What a job of this definition carries. @throws ZodError where the stored payload is not of its shape. */
export function payloadOf<Payload>(definition: JobDefinition<Payload>, job: OpenJob): Payload {
  return definition.payload.parse(job.payload);
}
