import { Injectable } from '@nestjs/common';
import { newId, type Transaction } from '#libs/database';

/** Which given-up jobs. */
export interface GivenUpFilter {
  readonly queue?: string | undefined;
  readonly name?: string | undefined;
  readonly tenant_id?: string | undefined;
  readonly id?: string | undefined;
}

/** A job that was given up. */
export interface GivenUpRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly queue: string;
  readonly name: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly failure: string;
  readonly created_at: Date;
  readonly completed_at: Date;
}

/** What the database knows of a queue. */
export interface QueueRow {
  readonly queue: string;
  readonly open: number;
  readonly oldest_seconds: number;
  readonly given_up: number;
}

const WHERE = `failure is not null and retried_at is null and ($1::text is null or queue = $1)
  and ($2::text is null or name = $2) and ($3::uuid is null or tenant_id = $3) and ($4::uuid is null or id = $4)`;

/** The outbox of jobs, across tenants. */
@Injectable()
export class PlatformJobsRepository {
  queues(tx: Transaction): Promise<QueueRow[]> {
    return tx.query(
      `select queue, count(*) filter (where completed_at is null)::int as open,
         coalesce(extract(epoch from now() - min(created_at) filter (where completed_at is null)), 0)::float8 as oldest_seconds,
         count(*) filter (where failure is not null and retried_at is null)::int as given_up
       from outbox where completed_at is null or (failure is not null and retried_at is null) group by queue`,
    );
  }

  async mails(tx: Transaction): Promise<{ waiting: number; failing: number; oldest_seconds: number }> {
    const rows: Array<{ waiting: number; failing: number; oldest_seconds: number }> = await tx.query(
      `select count(*)::int as waiting, count(*) filter (where attempts > 1)::int as failing,
         coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as oldest_seconds from mail_outbox`,
    );
    return rows[0] ?? { waiting: 0, failing: 0, oldest_seconds: 0 };
  }

  /** Has mails that failed be due at once; returns how many. */
  async hastenMails(tx: Transaction): Promise<number> {
    const [, hastened] = await tx.query(`update mail_outbox set due_at = now() where attempts > 0 and due_at > now()`);
    return hastened;
  }

  list(
    tx: Transaction,
    of: GivenUpFilter,
    page: { limit: number; cursor?: string | undefined },
  ): Promise<GivenUpRow[]> {
    return tx.query(
      `select id, tenant_id, queue, name, payload, failure, created_at, completed_at from outbox
       where ${WHERE} and ($5::uuid is null or id < $5) order by id desc limit $6`,
      [...bound(of), page.cursor ?? null, page.limit],
    );
  }

  /** Jobs to run again, the oldest first. */
  oldest(tx: Transaction, of: GivenUpFilter, limit: number): Promise<Array<{ id: string; tenant_id: string }>> {
    return tx.query(`select id, tenant_id from outbox where ${WHERE} order by id limit $5`, [...bound(of), limit]);
  }

  /** Writes a given-up job of the transaction's tenant again; undefined where somebody else did. */
  async retry(tx: Transaction, tenantId: string, id: string): Promise<string | undefined> {
    const [taken]: [unknown[], number] = await tx.query(
      `update outbox set retried_at = now()
       where tenant_id = $1 and id = $2 and failure is not null and retried_at is null returning id`,
      [tenantId, id],
    );
    if (taken.length === 0) return undefined;
    const next = newId();
    await tx.query(
      `insert into outbox (tenant_id, id, queue, name, payload, attempts_max)
       select tenant_id, $3, queue, name, payload, attempts_max from outbox where tenant_id = $1 and id = $2`,
      [tenantId, id, next],
    );
    // A delivery belongs to the job that it names, and waits for it.
    await tx.query(
      `update webhook_deliveries d set state = 'pending', job_id = $3 from outbox o
       where d.tenant_id = $1 and o.tenant_id = $1 and o.id = $2 and o.name = 'deliver-webhook'
         and d.id = (o.payload ->> 'deliveryId')::uuid and d.state = 'dead'`,
      [tenantId, id, next],
    );
    return next;
  }
}

function bound({ queue, name, tenant_id: tenantId, id }: GivenUpFilter): unknown[] {
  return [queue ?? null, name ?? null, tenantId ?? null, id ?? null];
}
