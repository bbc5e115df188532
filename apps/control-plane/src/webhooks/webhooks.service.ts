import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { judgeTarget } from '#libs/addresses';
import { appendAudit, type EventDetails } from '#libs/audit';
import { newId, type Database, type Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import type { TenantVault } from '#libs/secrets';
import { doneBy, type TenantCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import type { Precondition } from '../contract/precondition.js';
import { pageByKey } from '../paging/cursor.js';
import { TENANT_DATABASE, VAULT } from '../platform/tokens.js';
import { DeliveriesRepository } from './deliveries.repository.js';
import { changedChoices, misfits, type WebhookChanges } from './webhook-changes.js';
import { webhookView } from './webhook-view.js';
import { WebhooksRepository, type WebhookRow } from './webhooks.repository.js';
import type { createWebhook, getWebhook, listWebhooks, rotateWebhookSecret } from './webhooks.schema.js';

const WEBHOOKS_MAX = 20;
const SECRET_BYTES = 32;

/** Where a tenant is told of its events. */
@Injectable()
export class WebhooksService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(VAULT) private readonly vault: TenantVault,
    @Inject(WebhooksRepository) private readonly webhooks: WebhooksRepository,
    @Inject(DeliveriesRepository) private readonly deliveries: DeliveriesRepository,
  ) {}

  async list(
    { tenantId }: TenantCaller,
    query: InputOf<typeof listWebhooks>['query'],
  ): Promise<AnswerOf<typeof listWebhooks>> {
    const rows = await this.database.asTenant(tenantId, (tx) => this.webhooks.list(tx, tenantId));
    const wanted = rows.filter(({ state }) => query.state === undefined || state === query.state);
    const page = pageByKey(wanted, ({ id }) => id, 'descending', query);
    return { webhooks: page.rows.map(webhookView), next_cursor: page.next };
  }

  /** @throws AppError `not_found` */
  async get({ tenantId }: TenantCaller, id: string): Promise<AnswerOf<typeof getWebhook>> {
    const row = await this.database.asTenant(tenantId, (tx) => this.webhooks.find(tx, tenantId, id));
    return webhookView(required(row));
  }

  /** @throws AppError `invalid_request`, or `conflict` when the tenant has as many webhooks as it may */
  async create(
    caller: TenantCaller,
    body: InputOf<typeof createWebhook>['body'],
  ): Promise<AnswerOf<typeof createWebhook>> {
    const { tenantId } = caller;
    const { name, url, mode } = body;
    const id = newId();
    const shape =
      body.mode === 'each'
        ? { events: body.events, format: 'record' as const }
        : {
            events: ['*'],
            format: body.format ?? ('record' as const),
            ...(body.from_leaf !== undefined && { fromLeaf: body.from_leaf }),
          };
    return this.database.asTenant(tenantId, async (tx) => {
      await this.#refuseUrl(tx, tenantId, url);
      if (body.mode === 'stream') await this.#refuseBeyondLog(tx, tenantId, body.from_leaf);
      if ((await this.webhooks.count(tx, tenantId)) >= WEBHOOKS_MAX) {
        throw new AppError('conflict', { message: `A tenant has at most ${WEBHOOKS_MAX} webhooks. Delete one first.` });
      }
      const secret = mintSecret();
      const sealed = await this.vault.seal(tx, tenantId, purposeOf(id), secret);
      await this.webhooks.insert(tx, tenantId, { id, name, url, mode, ...shape }, sealed);
      if (body.mode === 'stream') await this.#putHeaders(tx, tenantId, id, body.headers);
      if (mode === 'stream') await this.webhooks.startStream(tx, tenantId, id, undefined);
      const details = { name, host: new URL(url).host, mode, events: shape.events };
      await record(tx, caller, id, { event: 'webhook.created', details });
      return { webhook: webhookView(required(await this.webhooks.find(tx, tenantId, id))), secret };
    });
  }

  /** @throws AppError `not_found`, `invalid_request` */
  async change(
    caller: TenantCaller,
    id: string,
    { body: changes, precondition }: { readonly body: WebhookChanges; readonly precondition: Precondition },
  ): Promise<AnswerOf<typeof getWebhook>> {
    const { tenantId } = caller;
    return this.database.asTenant(tenantId, async (tx) => {
      const before = required(await this.webhooks.lock(tx, tenantId, id));
      precondition.require(webhookView(required(await this.webhooks.find(tx, tenantId, id))));
      const problems = misfits(before, changes);
      if (problems.length > 0) {
        throw new AppError('invalid_request', { message: 'The changes do not fit the webhook’s mode.', problems });
      }
      if (changes.url !== undefined) await this.#refuseUrl(tx, tenantId, changes.url);
      await this.#refuseBeyondLog(tx, tenantId, changes.from_leaf);
      const after = changedChoices(before, changes);
      await this.webhooks.change(tx, tenantId, id, after);
      await this.#putHeaders(tx, tenantId, id, changes.headers);
      const isResumed = before.state === 'paused' && after.state === 'active';
      if (isResumed) await this.deliveries.restartPending(tx, tenantId, id);
      if (before.mode === 'stream' && (isResumed || changes.from_leaf !== undefined))
        await this.webhooks.startStream(tx, tenantId, id, changes.from_leaf);
      const details = { changed: Object.keys(changes), host: new URL(after.url).host, state: after.state };
      await record(tx, caller, id, { event: 'webhook.changed', details });
      return webhookView(required(await this.webhooks.find(tx, tenantId, id)));
    });
  }

  /** @throws AppError `not_found`, or `conflict` while the secret before the present one signs too */
  async rotateSecret(
    caller: TenantCaller,
    id: string,
    { overlap_seconds: overlapSeconds }: InputOf<typeof rotateWebhookSecret>['body'],
  ): Promise<AnswerOf<typeof rotateWebhookSecret>> {
    const { tenantId } = caller;
    const secret = mintSecret();
    return this.database.asTenant(tenantId, async (tx) => {
      const { previous_secret_expires_at: until } = required(await this.webhooks.lock(tx, tenantId, id));
      if (until !== null && overlapSeconds > 0) throw overlapping(until);
      const sealed = await this.vault.seal(tx, tenantId, purposeOf(id), secret);
      await this.webhooks.rotateSecret(tx, tenantId, id, { secret: sealed, overlapSeconds });
      const details = { overlap_seconds: overlapSeconds };
      await record(tx, caller, id, { event: 'webhook.secret_rotated', details });
      return { webhook: webhookView(required(await this.webhooks.find(tx, tenantId, id))), secret };
    });
  }

  /** @throws AppError `not_found` */
  async remove(caller: TenantCaller, id: string, precondition: Precondition): Promise<void> {
    const { tenantId } = caller;
    await this.database.asTenant(tenantId, async (tx) => {
      required(await this.webhooks.lock(tx, tenantId, id));
      precondition.require(webhookView(required(await this.webhooks.find(tx, tenantId, id))));
      await this.webhooks.remove(tx, tenantId, id);
      await record(tx, caller, id, { event: 'webhook.deleted' });
    });
  }

  async #putHeaders(
    tx: Transaction,
    tenantId: string,
    id: string,
    headers: Readonly<Record<string, string>> | undefined,
  ): Promise<void> {
    if (headers === undefined) return;
    const names = Object.keys(headers).sort();
    const sealed =
      names.length === 0
        ? undefined
        : await this.vault.seal(tx, tenantId, `webhook-headers:${id}`, JSON.stringify(headers));
    await this.webhooks.putHeaders(tx, tenantId, id, { names, sealed });
  }

  /** What begins after the end of the log would be sent nothing, and look as if nothing happened. */
  async #refuseBeyondLog(tx: Transaction, tenantId: string, fromLeaf: number | undefined): Promise<void> {
    if (fromLeaf === undefined) return;
    const size = await this.webhooks.logSize(tx, tenantId);
    if (fromLeaf <= size) return;
    const message = `The log has ${size} records. Name one of them, or ${size} for what comes next.`;
    throw new AppError('invalid_request', { message, problems: [{ pointer: '/from_leaf', message }] });
  }

  async #refuseUrl(tx: Transaction, tenantId: string, url: string): Promise<void> {
    const { problem } = judgeTarget(new URL(url), await this.webhooks.openedHosts(tx, tenantId));
    if (problem === undefined) return;
    const message = `The URL cannot be sent to. ${problem}`;
    throw new AppError('invalid_request', { message, problems: [{ pointer: '/url', message: problem }] });
  }
}

function overlapping(until: Date): AppError {
  return new AppError('conflict', {
    message:
      `Messages carry the signature of the secret before the present one until ${until.toISOString()}. Rotate after that, ` +
      'or with `overlap_seconds` 0, which ends both at once.',
  });
}

/** A signing secret as Standard Webhooks writes it. */
function mintSecret(): string {
  return `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
}

function purposeOf(id: string): string {
  return `webhook:${id}`;
}

function required(row: WebhookRow | undefined): WebhookRow {
  if (row === undefined) throw new AppError('not_found');
  return row;
}

type WebhookEvent = 'webhook.created' | 'webhook.changed' | 'webhook.secret_rotated' | 'webhook.deleted';

async function record(
  tx: Transaction,
  caller: TenantCaller,
  id: string,
  done: EventDetails<WebhookEvent>,
): Promise<void> {
  await appendAudit(tx, caller.tenantId, [doneBy(caller, { ...done, target: `webhook:${id}` })]);
}
