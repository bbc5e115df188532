import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import type { Database, Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { doneBy, type TenantCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { pageOf } from '../paging/cursor.js';
import { TENANT_DATABASE } from '../platform/tokens.js';
import { DeliveriesRepository, type DeliveryRow } from './deliveries.repository.js';
import { WebhooksRepository } from './webhooks.repository.js';
import type { deliverySchema, listDeliveries } from './webhooks.schema.js';
import type { z } from 'zod';

const PENDING_MAX = 10_000;

type Delivery = z.input<typeof deliverySchema>;

/** What a tenant's webhooks were sent: shown, tested and sent again. */
@Injectable()
export class DeliveriesService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(WebhooksRepository) private readonly webhooks: WebhooksRepository,
    @Inject(DeliveriesRepository) private readonly deliveries: DeliveriesRepository,
  ) {}

  /** @throws AppError `not_found` */
  async list(
    { tenantId }: TenantCaller,
    webhookId: string,
    { limit, state, cursor }: InputOf<typeof listDeliveries>['query'],
  ): Promise<AnswerOf<typeof listDeliveries>> {
    const narrowed = { ...(state && { state }), ...(cursor && { cursor }), limit: limit + 1 };
    return this.database.asTenant(tenantId, async (tx) => {
      if ((await this.webhooks.find(tx, tenantId, webhookId)) === undefined) throw new AppError('not_found');
      const page = pageOf(await this.deliveries.list(tx, tenantId, webhookId, narrowed), limit);
      return { deliveries: page.rows.map(view), next_cursor: page.next };
    });
  }

  /** @throws AppError `not_found`, or `conflict` while the webhook is paused */
  async test(caller: TenantCaller, webhookId: string): Promise<Delivery> {
    return this.#send(caller, webhookId, 'webhook.tested', (tx) =>
      this.deliveries.insertTest(tx, caller.tenantId, webhookId),
    );
  }

  /** @throws AppError `not_found`, or `conflict` while the webhook is paused */
  async replay(caller: TenantCaller, webhookId: string, id: string): Promise<Delivery> {
    return this.#send(caller, webhookId, 'webhook.delivery_replayed', async (tx) => {
      const delivery = await this.deliveries.find(tx, caller.tenantId, webhookId, id);
      if (delivery === undefined) throw new AppError('not_found');
      await this.deliveries.restart(tx, caller.tenantId, webhookId, [id]);
      return id;
    });
  }

  async #send(
    caller: TenantCaller,
    webhookId: string,
    event: 'webhook.tested' | 'webhook.delivery_replayed',
    write: (tx: Transaction) => Promise<string>,
  ): Promise<Delivery> {
    const { tenantId } = caller;
    return this.database.asTenant(tenantId, async (tx) => {
      const webhook = await this.webhooks.lock(tx, tenantId, webhookId);
      if (webhook === undefined) throw new AppError('not_found');
      const id = await write(tx);
      if (webhook.state === 'paused') {
        throw new AppError('conflict', { message: 'The webhook is paused. Set its state to active first.' });
      }
      if ((await this.deliveries.countPending(tx, tenantId, webhookId)) > PENDING_MAX) {
        throw new AppError('conflict', {
          message: `${PENDING_MAX} deliveries are waiting already. Let some end first.`,
        });
      }
      await appendAudit(tx, tenantId, [
        doneBy(caller, { event, target: `webhook:${webhookId}`, details: { delivery: id } }),
      ]);
      const row = await this.deliveries.find(tx, tenantId, webhookId, id);
      if (row === undefined) throw new AppError('internal', { detail: { delivery: id } });
      return view(row);
    });
  }
}

function view({ checkpoint_size: size, attempted_at: attempted, created_at: created, ...row }: DeliveryRow): Delivery {
  return {
    ...row,
    checkpoint_size: size === null ? null : Number(size),
    attempted_at: attempted?.toISOString() ?? null,
    created_at: created.toISOString(),
  };
}
