import { Injectable } from '@nestjs/common';
import type { OpenedHost } from '#libs/addresses';
import type { Transaction } from '#libs/database';
import { enqueue, streamRecordsJob } from '#libs/jobs';
import type { SealedValue } from '#libs/secrets';

/** A stored webhook without its secrets. */
export interface WebhookRow {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly mode: 'each' | 'stream';
  readonly events: string[];
  readonly format: 'record' | 'ocsf' | 'otlp';
  /** The names of the headers that a stream's messages bring; their values are sealed. */
  readonly header_names: string[];
  readonly state: 'active' | 'paused';
  readonly paused_because: 'asked' | 'failing' | 'gone' | 'overflowing' | null;
  readonly failing_since: Date | null;
  readonly last_failure: string | null;
  readonly previous_secret_expires_at: Date | null;
  readonly stream_next: string;
  readonly created_at: Date;
}

/** What of a webhook can be changed. */
export type WebhookChoices = Pick<
  WebhookRow,
  'name' | 'url' | 'events' | 'format' | 'state' | 'paused_because' | 'failing_since' | 'last_failure'
>;

const COLUMNS = `id, name, url, mode, events, format, header_names, state, paused_because, failing_since, last_failure, stream_next,
  created_at, case when previous_secret_expires_at > now() then previous_secret_expires_at end
  as previous_secret_expires_at`;

/** A tenant's webhooks. */
@Injectable()
export class WebhooksRepository {
  async list(tx: Transaction, tenantId: string): Promise<WebhookRow[]> {
    return tx.query(`select ${COLUMNS} from webhooks where tenant_id = $1 order by created_at desc, id`, [tenantId]);
  }

  async find(tx: Transaction, tenantId: string, id: string): Promise<WebhookRow | undefined> {
    const rows: WebhookRow[] = await tx.query(`select ${COLUMNS} from webhooks where tenant_id = $1 and id = $2`, [
      tenantId,
      id,
    ]);
    return rows[0];
  }

  /** As `find`; until the transaction ends nobody else changes it. */
  async lock(tx: Transaction, tenantId: string, id: string): Promise<WebhookRow | undefined> {
    const rows: WebhookRow[] = await tx.query(
      `select ${COLUMNS} from webhooks where tenant_id = $1 and id = $2 for update`,
      [tenantId, id],
    );
    return rows[0];
  }

  /** How many webhooks the tenant has; concurrent creations of one tenant wait for each other. */
  async count(tx: Transaction, tenantId: string): Promise<number> {
    await tx.query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [`webhooks:${tenantId}`]);
    const rows: [{ count: number }] = await tx.query(
      `select count(*)::int as count from webhooks where tenant_id = $1`,
      [tenantId],
    );
    return rows[0].count;
  }

  /** The private hosts that an operator opened for the tenant. */
  async openedHosts(tx: Transaction, tenantId: string): Promise<OpenedHost[]> {
    return tx.query(`select host, port from egress_allowances where tenant_id = $1 and host is not null`, [tenantId]);
  }

  /** Inserts a webhook; a stream that names no record goes on from the newest. */
  async insert(
    tx: Transaction,
    tenantId: string,
    webhook: Pick<WebhookRow, 'id' | 'name' | 'url' | 'mode' | 'events' | 'format'> & { readonly fromLeaf?: number },
    secret: SealedValue,
  ): Promise<void> {
    const { id, name, url, mode, events, format, fromLeaf } = webhook;
    await tx.query(
      `insert into webhooks (tenant_id, id, name, url, mode, events, format, state, data_key_id, secret, stream_next)
       values ($1, $2, $3, $4, $5, $6, $7, 'active', $8, $9,
         coalesce($10, (select size from audit_trees where tenant_id = $1), 0))`,
      [tenantId, id, name, url, mode, events, format, secret.dataKeyId, secret.ciphertext, fromLeaf ?? null],
    );
  }

  /** Puts a stream's headers in place of those it had; without any it has none. */
  async putHeaders(
    tx: Transaction,
    tenantId: string,
    id: string,
    { names, sealed }: { readonly names: readonly string[]; readonly sealed: SealedValue | undefined },
  ): Promise<void> {
    await tx.query(
      `update webhooks set header_names = $3, headers_data_key_id = $4, headers = $5 where tenant_id = $1 and id = $2`,
      [tenantId, id, names, sealed?.dataKeyId ?? null, sealed?.ciphertext ?? null],
    );
  }

  async change(tx: Transaction, tenantId: string, id: string, choices: WebhookChoices): Promise<void> {
    await tx.query(
      `update webhooks set name = $3, url = $4, events = $5, format = $6, state = $7, paused_because = $8,
         failing_since = $9, last_failure = $10 where tenant_id = $1 and id = $2`,
      [
        tenantId,
        id,
        choices.name,
        choices.url,
        choices.events,
        choices.format,
        choices.state,
        choices.paused_because,
        choices.failing_since,
        choices.last_failure,
      ],
    );
  }

  /** Lets a stream go on from a record, or from where it is, with a new job; the one it had is over. */
  async startStream(tx: Transaction, tenantId: string, id: string, fromLeaf: number | undefined): Promise<void> {
    const jobId = await enqueue(tx, tenantId, streamRecordsJob, { tenantId, webhookId: id });
    await tx.query(
      `update webhooks set stream_job_id = $3, stream_next = coalesce($4, stream_next),
         stream_end = case when $4::bigint is null then stream_end end where tenant_id = $1 and id = $2`,
      [tenantId, id, jobId, fromLeaf ?? null],
    );
  }

  /** How many records the tenant's log has that are numbered; the next to be numbered is of this number. */
  async logSize(tx: Transaction, tenantId: string): Promise<number> {
    const rows: Array<{ size: number }> = await tx.query(
      `select size::float8 as size from audit_trees where tenant_id = $1`,
      [tenantId],
    );
    return rows[0]?.size ?? 0;
  }

  /** Puts a new secret in place; the present one signs for so many seconds more, the one before it no longer. */
  async rotateSecret(
    tx: Transaction,
    tenantId: string,
    id: string,
    { secret, overlapSeconds }: { readonly secret: SealedValue; readonly overlapSeconds: number },
  ): Promise<void> {
    await tx.query(
      `update webhooks set previous_data_key_id = data_key_id, previous_secret = secret, data_key_id = $3, secret = $4,
         previous_secret_expires_at = now() + make_interval(secs => $5) where tenant_id = $1 and id = $2`,
      [tenantId, id, secret.dataKeyId, secret.ciphertext, overlapSeconds],
    );
  }

  /** Deletes a webhook with its deliveries; false where there was none. */
  async remove(tx: Transaction, tenantId: string, id: string): Promise<boolean> {
    const rows: unknown[] = await tx.query(
      `with gone as (delete from webhooks where tenant_id = $1 and id = $2 returning id) select id from gone`,
      [tenantId, id],
    );
    return rows.length > 0;
  }
}
