import { appendAudit } from '#libs/audit';
import type { OpenedHost } from '#libs/addresses';
import type { Transaction } from '#libs/database';
import type { TenantVault } from '#libs/secrets';
import type { Receipt, Receiver } from './sender.js';

const FAILING_DAYS_MAX = 3;
const GONE = 410;

/** Why a webhook was paused without being asked. */
type PauseReason = 'failing' | 'gone' | 'overflowing';

/** How a stream shows records. */
export type StreamFormat = 'record' | 'ocsf' | 'otlp';

/** A webhook that something is sent to. */
export interface WebhookRow {
  readonly id: string;
  readonly url: string;
  readonly format: StreamFormat;
  readonly stream_next: string;
  readonly stream_end: string | null;
  readonly stream_job_id: string | null;
  readonly data_key_id: string;
  readonly secret: Buffer;
  readonly previous_data_key_id: string | null;
  readonly previous_secret: Buffer | null;
  readonly headers_data_key_id: string | null;
  readonly headers: Buffer | null;
}

const COLUMNS = `id, url, format, stream_next, stream_end, stream_job_id, data_key_id, secret,
  headers_data_key_id, headers,
  case when previous_secret_expires_at > now() then previous_data_key_id end as previous_data_key_id,
  case when previous_secret_expires_at > now() then previous_secret end as previous_secret`;

/** A webhook unless it is paused. */
export async function findActive(tx: Transaction, tenantId: string, id: string): Promise<WebhookRow | undefined> {
  const rows: WebhookRow[] = await tx.query(
    `select ${COLUMNS} from webhooks where tenant_id = $1 and id = $2 and state = 'active'`,
    [tenantId, id],
  );
  return rows[0];
}

/** As `findActive`; until the transaction ends nobody else changes it. */
export async function lockActive(tx: Transaction, tenantId: string, id: string): Promise<WebhookRow | undefined> {
  const rows: WebhookRow[] = await tx.query(
    `select ${COLUMNS} from webhooks where tenant_id = $1 and id = $2 and state = 'active' for update`,
    [tenantId, id],
  );
  return rows[0];
}

/** Where a webhook's messages go, with its secrets opened. */
export async function receiverOf(
  tx: Transaction,
  tenantId: string,
  vault: TenantVault,
  row: WebhookRow,
): Promise<Receiver> {
  const purpose = `webhook:${row.id}`;
  const secrets = [await vault.open(tx, tenantId, purpose, { dataKeyId: row.data_key_id, ciphertext: row.secret })];
  if (row.previous_secret !== null && row.previous_data_key_id !== null) {
    const previous = { dataKeyId: row.previous_data_key_id, ciphertext: row.previous_secret };
    secrets.push(await vault.open(tx, tenantId, purpose, previous));
  }
  const opened: OpenedHost[] = await tx.query(
    `select host, port from egress_allowances where tenant_id = $1 and host is not null`,
    [tenantId],
  );
  return { url: row.url, secrets, opened, headers: await headersOf(tx, tenantId, vault, row) };
}

async function headersOf(
  tx: Transaction,
  tenantId: string,
  vault: TenantVault,
  { id, headers_data_key_id: dataKeyId, headers: ciphertext }: WebhookRow,
): Promise<Readonly<Record<string, string>>> {
  if (dataKeyId === null || ciphertext === null) return {};
  const text = await vault.open(tx, tenantId, `webhook-headers:${id}`, { dataKeyId, ciphertext });
  return JSON.parse(text) as Record<string, string>; // sealed by the control plane in this shape
}

/** Keeps what an attempt says about the receiver; one that has failed for days, or is gone, is sent nothing more. */
export async function noteReceipt(
  tx: Transaction,
  tenantId: string,
  id: string,
  { status, failure, refused }: Receipt,
): Promise<void> {
  if (failure === undefined) {
    await tx.query(
      `update webhooks set failing_since = null, last_failure = $3
       where tenant_id = $1 and id = $2 and (failing_since is not null or last_failure is distinct from $3)`,
      [tenantId, id, refused ?? null],
    );
    return;
  }
  const [rows]: [Array<{ long: boolean }>] = await tx.query(
    `update webhooks set failing_since = coalesce(failing_since, now()), last_failure = $3
     where tenant_id = $1 and id = $2
     returning failing_since < now() - make_interval(days => $4) as long`,
    [tenantId, id, failure, FAILING_DAYS_MAX],
  );
  if (status === GONE) await pauseWebhook(tx, tenantId, id, 'gone');
  else if (rows[0]?.long === true) await pauseWebhook(tx, tenantId, id, 'failing');
}

/** Pauses a webhook and says so in the tenant's log; one that is paused already stays as it is. */
export async function pauseWebhook(tx: Transaction, tenantId: string, id: string, because: PauseReason): Promise<void> {
  const [rows]: [unknown[]] = await tx.query(
    `update webhooks set state = 'paused', paused_because = $3
     where tenant_id = $1 and id = $2 and state = 'active' returning id`,
    [tenantId, id, because],
  );
  if (rows.length === 0) return;
  await appendAudit(tx, tenantId, [
    {
      event: 'webhook.paused',
      actor: { kind: 'system', id: 'webhooks' },
      target: `webhook:${id}`,
      outcome: because,
    },
  ]);
}
